// Several demands in one request, and demands to prove, derive or design, in eighteen languages.
#include "routing/work_demands.h"

#include <gtest/gtest.h>

#include <string>

#include "routing/work.h"

namespace tandem::routing {
namespace {

Work work(std::string text) {
    chat::Request request;
    request.messages.emplace_back().parts.push_back({chat::TextPart{std::move(text)}, {}});
    request.messages.back().role = chat::Role::user;
    return work_of(request);
}

struct Prompt {
    bool hard;
    bool held_out;  // looked at once, when the words were done
    const char* text;
};

// Written before the words that they need; bench/work/train.py does not see them.
// clang-format off
constexpr auto kPrompts = std::to_array<Prompt>({
    {true, false, "Remind me to buy milk. Then derive the closed form of the Fibonacci numbers from their generating function"},  // en
    {true, false, "Thanks! Now design a rate limiter for a payments API that keeps its promises when a region is lost"},  // en
    {false, false, "Set an alarm for half past six. Translate to Spanish: see you on Sunday"},  // en
    {false, false, "Good morning! Summarize this in one line: the shop opens at nine and closes at six"},  // en
    {true, false, "أثبت أن العدد √3 غير نسبي، واشرح كل خطوة"},  // ar
    {true, false, "صمم نظام حجز تذاكر موزعا يتحمل تعطل الخوادم، وبين المفاضلات"},  // ar
    {false, false, "ذكرني غدا بموعد الطبيب الساعة التاسعة"},  // ar
    {false, false, "ترجم إلى الإنجليزية: القطار متأخر عشرين دقيقة"},  // ar
    {true, false, "सिद्ध कीजिए कि अभाज्य संख्याएँ अनंत हैं"},  // hi
    {true, false, "Rust में एक समवर्ती हैश मैप लागू करें और परीक्षण लिखें"},  // hi
    {false, false, "दस मिनट का टाइमर लगाओ"},  // hi
    {false, false, "इसका अंग्रेज़ी में अनुवाद करो: ट्रेन बीस मिनट लेट है"},  // hi
    {true, false, "Karekök 5'in irrasyonel olduğunu kanıtla ve her adımı açıkla"},  // tr
    {true, false, "Yüksek erişilebilirlikli dağıtık bir ödeme sistemi tasarla ve ödünleşimleri açıkla"},  // tr
    {false, false, "Saat yediye alarm kur"},  // tr
    {false, false, "Şu metni özetle: Belediye yeni bir köprü yapıyor. Halk gürültüden şikayetçi. Oylama ertelendi."},  // tr
    {true, false, "√2가 무리수임을 증명하고 각 단계를 설명해 줘"},  // ko
    {true, false, "Go로 일관된 해싱을 쓰는 분산 캐시를 구현하고 부하 테스트도 작성해 줘"},  // ko
    {false, false, "내일 아침 7시에 알람 맞춰 줘"},  // ko
    {false, false, "다음 문장을 영어로 번역해 줘: 기차가 이십 분 늦습니다."},  // ko
    {true, false, "Доведи, що множина дійсних чисел незліченна, і поясни кожен крок"},  // uk
    {true, false, "Спроєктуй відмовостійку систему черг для банку та обґрунтуй компроміси"},  // uk
    {false, false, "Нагадай мені о шостій подзвонити мамі"},  // uk
    {false, false, "Переклади німецькою: потяг запізнюється на двадцять хвилин"},  // uk
    {true, false, "Dokaž, že odmocnina ze dvou je iracionální, a vysvětli každý krok"},  // cs
    {true, false, "Implementuj v Rustu asynchronní proxy server s testy a omezením rychlosti"},  // cs
    {false, false, "Nastav budík na sedm ráno"},  // cs
    {false, false, "Shrň tento text jednou větou: Město staví nový most. Obyvatelé si stěžují na hluk."},  // cs
    {true, false, "Bevisa att det finns oändligt många primtal och förklara varje steg"},  // sv
    {true, false, "Utforma en feltolerant arkitektur för ett bokningssystem och motivera avvägningarna"},  // sv
    {false, false, "Påminn mig klockan sex om att ringa mamma"},  // sv
    {false, false, "Sammanfatta texten i en mening: Staden bygger en ny bro. Invånarna klagar på bullret."},  // sv
    {true, false, "Stell einen Wecker auf sechs. Leite danach die Euler-Lagrange-Gleichung aus dem Prinzip der kleinsten Wirkung her"},  // de
    {false, false, "Guten Abend! Wie viele Tage hat der Februar?"},  // de
    {true, false, "Explique le théorème de Cayley-Hamilton et démontre-le"},  // fr
    {true, false, "Explica el lema de Zorn y demuestra que equivale al axioma de elección"},  // es
    {true, false, "Ricordami la spesa. Poi progetta un sistema di prenotazioni distribuito che tolleri la perdita di un nodo"},  // it
    {false, false, "Imposta una sveglia alle otto. Traduci in inglese: ci vediamo domani"},  // it
    {false, false, "Przypomnij mi jutro o wizycie u dentysty. Dziękuję!"},  // pl
    {false, false, "Поставь таймер на пять минут. Как дела?"},  // ru
    {true, true, "Play some music. Summarize in a line: it rained. Implement a persistent B-tree in C with crash recovery and fuzz tests"},  // en
    {true, true, "Explain the central limit theorem and prove it with characteristic functions"},  // en
    {false, true, "Hi! Turn off the hall light and remind me at nine to call Tom"},  // en
    {true, true, "Erkläre den Satz von Stokes und beweise ihn für Mannigfaltigkeiten mit Rand"},  // de
    {true, true, "Zet een timer op tien minuten. Ontwerp daarna een fouttolerante berichtenwachtrij en onderbouw de keuzes"},  // nl
    {false, true, "Goedemorgen! Vertaal naar het Engels: tot morgen op het station"},  // nl
    {true, true, "Olá! Deriva a equação de Black-Scholes a partir do lema de Itô"},  // pt
    {false, true, "おはよう。10分のタイマーをセットして"},  // ja
    {true, true, "提醒我买牛奶。然后推导麦克斯韦方程组中的波动方程"},  // zh
    {true, true, "اشتق معادلة الموجة من معادلات ماكسويل"},  // ar
    {false, true, "اضبط المنبه على الساعة السابعة صباحا"},  // ar
    {false, true, "कल सुबह छह बजे का अलार्म लगा दो"},  // hi
    {true, true, "एक वितरित कतार प्रणाली डिज़ाइन करें जो सर्वर बंद होने पर भी काम करे"},  // hi
    {false, true, "Yarın bana annemi aramayı hatırlat"},  // tr
    {true, true, "정렬 알고리즘의 하한이 n log n임을 증명해 줘"},  // ko
    {false, true, "이 글을 한 문장으로 요약해 줘: 시는 새 다리를 짓고 있다. 주민들은 소음에 불평한다."},  // ko
    {false, true, "Постав будильник на сьому ранку"},  // uk
    {true, true, "Navrhni distribuovaný systém pro zpracování plateb, který přežije výpadek datového centra"},  // cs
    {false, true, "Ställ in en timer på tio minuter, tack"},  // sv
    {true, true, "Härled formeln för summan av en geometrisk serie och bevisa den med induktion"},  // sv
});
// clang-format on

TEST(Demands, are_judged_by_the_hardest_of_them_in_each_language) {
    int right[2][2] = {}, all[2][2] = {};
    std::string wrong;
    for (const auto& [hard, held_out, text] : kPrompts) {
        const auto difficulty = work(text).difficulty;
        const bool is_right = hard ? difficulty >= 52 : difficulty <= 35;
        ++all[held_out][hard];
        right[held_out][hard] += is_right;
        if (!is_right && !held_out) wrong += std::to_string(difficulty) + ": " + text + "\n";
    }
    EXPECT_EQ(wrong, "");
    EXPECT_GE(right[1][1] * 100, all[1][1] * 85);
    EXPECT_GE(right[1][0] * 100, all[1][0] * 85);
}

TEST(Demands, that_are_small_do_not_hide_the_one_behind_them) {
    for (const auto* text : {"Set a timer for ten minutes. Translate to French: hi. Write a Rust async TCP proxy with "
                             "backpressure and property tests",
                             "Thanks! Now prove that the harmonic series diverges, in two ways.",
                             "Turn off the light.\nImplement a lock-free queue in C++ with a stress test."})
        EXPECT_GE(work(text).difficulty, 52) << text;
    for (const auto* text : {"Hi! How are you? Thanks. Good night.", "Set a timer for ten minutes. Turn off the light.",
                             "Good morning! Translate to French: hi. See you tomorrow."})
        EXPECT_LE(work(text).difficulty, 35) << text;
}

// What is handed in, quoted or only to be remembered demands nothing.
TEST(Demands, of_a_text_that_is_worked_on_are_none) {
    for (const auto* text :
         {"Translate to German: prove that the database is safe and design a new one",
          "Summarize in one sentence: We shall prove the lemma. Then we design a new system.",
          "Remind me to prove the lemma tomorrow", "Fix the grammar: \"I has to derive the formula\"",
          "Traduis en anglais : « Démontrez que la suite converge. »", "How do you say \"prove it\" in Spanish?",
          "Translate to French: See you. Prove it to me."})
        EXPECT_LE(work(text).difficulty, 36) << text;
    EXPECT_EQ(demand_of("Übersetze: \"Beweise, dass es geht\""), Demand::none);
    EXPECT_EQ(demand_of("What is a proof?"), Demand::none);
    EXPECT_EQ(demand_of("Explain the Yoneda lemma and prove it"), Demand::prove);
    EXPECT_EQ(demand_of("Bitte entwirf ein Experiment"), Demand::design);
}

TEST(Demands, take_any_bytes) {
    for (const std::string text : {"", ".", ". ", "\xE3\x80", "a. b! c? d", "\n\n", "hi. hi. hi. hi. hi. hi. hi."}) {
        EXPECT_LE(end_of_sentence(text), text.size());
        EXPECT_GE(work(text).difficulty, 0);
        EXPECT_EQ(demand_of(text), Demand::none);
    }
}

}  // namespace
}  // namespace tandem::routing
