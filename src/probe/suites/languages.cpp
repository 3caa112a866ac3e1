// Whether a model reads other languages than English: small stories of goods that come and go, told and asked for in
// the language. The numbers and names are drawn; who does not understand the verbs cannot reckon.
#include <fmt/format.h>

#include "probe/checks.h"
#include "probe/draw.h"
#include "probe/scored.h"
#include "probe/suites.h"

namespace tandem::probe {

namespace {

constexpr std::int64_t kAnswer = 160;  // tokens
constexpr int kRounds = 4;

struct Language {
    std::string_view name;
    // {0}: who; {1}: what was there first; {2}: how many more or fewer.
    std::string_view gets, loses;
    std::string_view asks;  // and for the number at the end
};
constexpr std::array<Language, 9> kLanguages = {
    {{"German", "{0} hat {1} Bücher und bekommt {2} dazu.", "{0} hat {1} Bücher und verschenkt {2} davon.",
      "Wie viele Bücher hat {0} jetzt? Antworte auf Deutsch und ende mit der Zahl."},
     {"French", "{0} a {1} livres et en reçoit {2} de plus.", "{0} a {1} livres et en donne {2}.",
      "Combien de livres {0} a-t-il maintenant ? Réponds en français et termine par le nombre."},
     {"Spanish", "{0} tiene {1} libros y recibe {2} más.", "{0} tiene {1} libros y regala {2}.",
      "¿Cuántos libros tiene {0} ahora? Responde en español y termina con el número."},
     {"Italian", "{0} ha {1} libri e ne riceve altri {2}.", "{0} ha {1} libri e ne regala {2}.",
      "Quanti libri ha {0} adesso? Rispondi in italiano e termina con il numero."},
     {"Portuguese", "{0} tem {1} livros e recebe mais {2}.", "{0} tem {1} livros e dá {2} a um amigo.",
      "Quantos livros tem {0} agora? Responde em português e termina com o número."},
     {"Dutch", "{0} heeft {1} boeken en krijgt er {2} bij.", "{0} heeft {1} boeken en geeft er {2} weg.",
      "Hoeveel boeken heeft {0} nu? Antwoord in het Nederlands en eindig met het getal."},
     {"Polish", "{0} ma {1} książek i dostaje jeszcze {2}.", "{0} ma {1} książek i oddaje {2}.",
      "Ile książek ma teraz {0}? Odpowiedz po polsku i zakończ liczbą."},
     {"Russian", "У {0} было {1} книг, и ему подарили ещё {2}.", "У {0} было {1} книг, и он отдал {2}.",
      "Сколько книг теперь у {0}? Ответь по-русски и закончи числом."},
     {"Chinese", "{0}有{1}本书，又得到了{2}本。", "{0}有{1}本书，送出了{2}本。",
      "{0}现在有多少本书？请用中文回答，并以数字结尾。"}}};

Question make(const Subject& subject, const Language& language, int number) {
    auto draw = Draw::of(subject.seed, language.name, static_cast<std::uint64_t>(number));
    const auto who = draw.name();
    const int first = draw.from(31, 89), other = draw.from(3, 29);
    const bool more = draw.from(0, 1) == 0;
    const auto text = fmt::format(fmt::runtime(more ? language.gets : language.loses), who, first, other) + " " +
                      fmt::format(fmt::runtime(language.asks), who);
    return ask_one(fmt::format("{}-{}", language.name, number + 1), request_saying(text, subject.room(kAnswer)),
                   [wanted = more ? first + other : first - other](const chat::Told& told) {
                       return last_number(told.text) == wanted;
                   });
}

}  // namespace

std::unique_ptr<Suite> make_languages(const Subject& subject) {
    std::vector<Scored::Group> groups;
    for (const auto& language : kLanguages)
        groups.push_back({language.name, [subject, &language](int number) { return make(subject, language, number); }});
    return std::make_unique<Scored>(std::move(groups), kRounds);
}

}  // namespace tandem::probe
