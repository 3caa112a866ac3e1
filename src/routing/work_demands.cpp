#include "routing/work_demands.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "routing/work_shape.h"
#include "routing/work_words.h"

namespace tandem::routing {

namespace {

using enum Concept::Role;

// What is said to somebody who shall prove or design; words for a proof or a design that is only spoken of are not
// here. Written as work_lexicon.h says.
// clang-format off
constexpr std::array kDemands = std::to_array<Concept>({
{"prove", verb, R"(prove, prove that, prove it, disprove, derive, derive the, a proof that, a proof of, with proof, with a proof, give a proof, rigorous proof, show rigorously,
beweise, beweisen sie, beweis dass, beweist, zu beweisen, mit beweis, einen beweis, leite her, leite die, leite das, leite den, leite daraus, leite eine, leite danach, leite dann, leite nun, leite anschließend, leite mir, leiten sie, widerlege, widerlegen sie, herleiten, zeige dass, zeigen sie dass,
démontre, démontrez, démontrer, démontre le, démontre la, prouve, prouvez, prouver, avec preuve, avec une preuve, avec démonstration, avec la démonstration, déduis en, établis que,
demuestra, demuestre, demuéstralo, demostrar, con demostración, con la demostración, con una demostración, deriva la, deriva las, deriva el, deduce la, prueba que,
dimostra, dimostrare, dimostralo, dimostrami, con dimostrazione, con la dimostrazione, deriva la, deriva le, ricava la, ricava le,
demonstre, demonstra, prove que, prova que, com demonstração, com prova, deriva a, derive a, deduza a, deduz a,
bewijs dat, bewijs de, bewijs het, bewijs hem, bewijzen, met bewijs, toon aan dat, leid af, leid de,
udowodnij, udowodnić, udowodnijcie, wykaż że, z dowodem, wyprowadź, wyprowadzić,
докажи, докажите, доказать, с доказательством, выведи, выведите, опровергни, опровергните,
证明, 求证, 推导, 証明せよ, 証明して, 証明も, を証明, を導出, 導出して, を導いて, を示せ, 증명해, 증명하, 증명을, 유도해, 유도하, 도출해,
أثبت, اثبت, وأثبت, برهن, وبرهن, أثبتي, أثبتوا, برهان على, مع برهان, مع البرهان, مع إثبات, مع الإثبات, إثبات أن, اشتق, واشتق, استنتج,
सिद्ध कीजिए, सिद्ध करें, सिद्ध करो, सिद्ध कर, साबित कीजिए, साबित करें, साबित करो, प्रमाण दीजिए, प्रमाण दें, प्रमाण सहित, व्युत्पन्न कीजिए, व्युत्पन्न करें, व्युत्पत्ति कीजिए,
kanıtla, kanıtlayın, kanıtlayınız, ispatla, ispatlayın, ispatlayınız, ispat et, kanıtıyla, ispatıyla, türet, türetin, türetiniz,
доведи, доведіть, довести що, з доведенням, виведи, виведіть, спростуй,
dokaž, dokažte, dokázat, s důkazem, odvoď, odvoďte, odvodit, vyvrať,
bevisa, bevisa att, med bevis, ett bevis, härled, härleda, motbevisa,
bevis at, todista, dovedz, demonstrează, bizonyítsd be, bizonyítsa be, απόδειξε, הוכח, chứng minh, buktikan)"},
{"design", verb, R"(design a, design an, design the, design and, architect a, architect the, devise a, devise an,
entwirf, entwerfe, entwerfen sie, konzipiere, konzipieren sie, conçois, concevez, concevoir, diseña, diseñe, diseñar, progetta, progettare, progetti un, projete, projeta, projetar, desenhe uma arquitetura, ontwerp, zaprojektuj, zaprojektować, спроектируй, спроектируйте, спроектировать,
设计一个, 设计一套, 设计一种, 设计并, 设计出, 请设计, 設計して, 設計せよ, 設計し, 설계해, 설계하, صمم, صمّم, وصمم, डिज़ाइन करें, डिजाइन करें, डिज़ाइन कीजिए, डिजाइन कीजिए, डिज़ाइन करो, डिजाइन करो,
tasarla, tasarlayın, tasarlayınız, спроєктуй, спроєктуйте, спроектуйте, спроектуй, navrhni, navrhněte, navrhnout, utforma, designa, konstruera)"},
});
// clang-format on

const Vocabulary& demands() {
    static const Vocabulary made(kDemands);
    return made;
}

constexpr std::string_view kFullStop = "\xE3\x80\x82", kWideQuestion = "\xEF\xBC\x9F",
                           kWideExclamation = "\xEF\xBC\x81", kDanda = "\xE0\xA5\xA4", kArabicQuestion = "\xD8\x9F";

}  // namespace

Demand demand_of(std::string_view text) {
    auto found = Demand::none;
    for (const auto& segment : shape_of(text, false).segments) {
        if (segment.inserted || segment.weight < 0.7F) continue;
        for (const auto& hit : demands().hits_in(folded(segment.text))) {
            if (kDemands[hit.concept_index].name == "prove") return Demand::prove;
            found = Demand::design;
        }
    }
    return found;
}

std::size_t end_of_sentence(std::string_view text) {
    const auto behind_blanks = [&](std::size_t at) {
        while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) ++at;
        return at;
    };
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\n') return behind_blanks(at);
        const bool sign = text[at] == '.' || text[at] == '!' || text[at] == '?';
        if (sign && at + 1 < text.size() && (text[at + 1] == ' ' || text[at + 1] == '\n')) return behind_blanks(at + 1);
        for (const auto wide : {kFullStop, kWideQuestion, kWideExclamation, kDanda, kArabicQuestion})
            if (text.substr(at).starts_with(wide)) return behind_blanks(at + wide.size());
    }
    return text.size();
}

}  // namespace tandem::routing
