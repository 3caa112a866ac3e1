#include "probe/suites/notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/text.h"
#include "probe/checks.h"
#include "probe/draw.h"

namespace tandem::probe {

namespace {

constexpr std::array<std::string_view, 12> kColours = {"red",    "blue",   "green", "white", "black",  "brown",
                                                       "yellow", "purple", "pink",  "grey",  "orange", "golden"};
constexpr std::array<std::string_view, 8> kChores = {"painted the fence", "swept the yard",   "oiled the gate",
                                                     "counted the geese", "stacked the wood", "closed the shutters",
                                                     "washed the cart",   "wound the clock"};
// What somebody does, and the word for who does it: no word of the one is in the other.
struct Trade {
    std::string_view does, who;
};
constexpr std::array<Trade, 14> kTrades = {Trade{"pulls aching teeth", "dentist"},
                                           {"takes passengers across the ocean in the air", "pilot"},
                                           {"puts out burning houses", "firefighter"},
                                           {"trims hair and beards", "barber"},
                                           {"mends leaking pipes", "plumber"},
                                           {"makes loaves and rolls before dawn", "baker"},
                                           {"treats sick dogs and horses", "veterinarian"},
                                           {"carves tables and chairs out of oak", "carpenter"},
                                           {"looks at the stars through a telescope", "astronomer"},
                                           {"defends the accused in court", "lawyer"},
                                           {"keeps hives and sells honey", "beekeeper"},
                                           {"grinds wheat into flour", "miller"},
                                           {"repairs watches", "clockmaker"},
                                           {"lends books to readers", "librarian"}};
constexpr int kHops = 3, kParts = 3;       // notes of a value that goes round; of an amount, and of several lockers
constexpr std::size_t kBytesOfName = 500;  // of the text, for each name that there is more
constexpr std::size_t kFewestNames = 12;
constexpr std::size_t kParagraph = 8;   // notes
constexpr std::int64_t kCodes = 1'000;  // codes have four digits, and amounts fewer

// The names in a text, and the notes that no question asks for.
class Scene {
  public:
    Scene(Draw& draw, std::size_t bytes)
        : draw_(draw),
          towns_(draw.names(kFewestNames + bytes / kBytesOfName)),
          people_(draw.names(kFewestNames + bytes / kBytesOfName)) {
        for (std::size_t i = 0; i < towns_.size() * kColours.size(); ++i) lockers_.push_back(i);
        draw.shuffle(lockers_);
    }

    struct Locker {
        std::string which;
        int code;
        std::string note() const { return fmt::format("The {} opens with {}.", which, code); }
    };
    // No two are of one colour in one town.
    Locker locker() {
        const auto at = lockers_[next_locker_++ % lockers_.size()];
        return {fmt::format("{} locker in {}", kColours[at % kColours.size()], towns_[at / kColours.size()]), code()};
    }
    // Who has brought nothing but what a question asks for; other notes tell of this person as of all others.
    std::string bringer() { return bringer_ = person(); }
    std::string person() { return draw_.one_of(people_); }
    std::string gauge() {
        while (true)
            if (auto word = draw_.word(); gauges_.insert(word).second) return word;
    }
    std::string town() { return draw_.one_of(towns_); }
    int code() { return draw_.from(1'000, 9'999); }

    std::string brought(const std::string& who, int crates) {
        return fmt::format("{} brought {} crates to {}.", who, crates, town());
    }
    static std::string shows(const std::string& gauge, int value) {
        return fmt::format("Gauge {} shows {}.", gauge, value);
    }
    static std::string follows(const std::string& gauge, const std::string& other) {
        return fmt::format("Gauge {} was set to what gauge {} shows.", gauge, other);
    }
    std::string works(const std::string& who, const Trade& trade) {
        return fmt::format("{} {} in {}.", who, trade.does, town());
    }

    // One of any form. `avoided`: the trade that a question asks for.
    std::string other(std::size_t avoided) {
        switch (draw_.from(0, 4)) {
            case 0:
                return locker().note();
            case 1:
                return brought(other_bringer(), draw_.from(2, 19));
            case 2:
                return other_gauge();
            case 3:
                return works(draw_.one_of(people_), other_trade(avoided));
            default:
                return fmt::format("{} of house {} {}.", draw_.one_of(people_), draw_.from(100, 999),
                                   draw_.one_of(kChores));
        }
    }

    bool is_person(const std::string& word) const {
        const auto is = [&](const std::string& name) { return lower(name) == word; };
        return std::ranges::any_of(people_, is);
    }

  private:
    std::string other_gauge() {
        auto name = gauge();
        auto note =
            chained_.empty() || draw_.from(0, 1) == 0 ? shows(name, code()) : follows(name, draw_.one_of(chained_));
        chained_.push_back(std::move(name));
        return note;
    }
    std::string other_bringer() {
        auto name = person();
        while (name == bringer_) name = person();
        return name;
    }
    // Half of them stand in a text once at most, as the one that is asked for does.
    const Trade& other_trade(std::size_t avoided) {
        while (true) {
            const auto at = static_cast<std::size_t>(draw_.from(1, static_cast<int>(kTrades.size()) - 1));
            if (at % 2 == 0 || rare_.insert(at).second) return kTrades[(avoided + at) % kTrades.size()];
        }
    }

    Draw& draw_;
    std::vector<std::string> towns_, people_, chained_;
    std::string bringer_;
    std::set<std::size_t> rare_;
    std::vector<std::size_t> lockers_;
    std::size_t next_locker_ = 0;
    std::set<std::string> gauges_;
};

// What is asked, the notes that answer it in their order, and what is right.
struct Asked {
    std::vector<std::string> notes;
    std::string question;
    std::function<bool(const chat::Told&)> right;
    std::size_t trade = 0;
};

// The codes that are said, each once, in order.
std::vector<std::int64_t> codes_in(const std::string& text) {
    std::vector<std::int64_t> codes;
    for (const auto number : numbers_in(text))
        if (number >= kCodes && std::ranges::find(codes, number) == codes.end()) codes.push_back(number);
    return codes;
}

std::function<bool(const chat::Told&)> says_codes(std::vector<std::int64_t> wanted) {
    return [wanted = std::move(wanted)](const chat::Told& told) { return codes_in(told.text) == wanted; };
}

Asked ask_lockers(Scene& scene, int count) {
    Asked asked;
    std::vector<std::int64_t> codes;
    std::string which;
    for (int i = 0; i < count; ++i) {
        Scene::Locker locker;
        do locker = scene.locker();
        while (std::ranges::find(codes, locker.code) != codes.end());
        codes.push_back(locker.code);
        asked.notes.push_back(locker.note());
        which += fmt::format("{}the {}", i == 0 ? "" : i + 1 == count ? " and " : ", ", locker.which);
    }
    asked.question = count == 1 ? fmt::format("Which number opens {}? Reply with the number alone.", which)
                                : fmt::format(
                                      "Which numbers open {}? Reply with the {} numbers in this order, separated by "
                                      "commas, and nothing else.",
                                      which, count);
    asked.right = says_codes(codes);
    return asked;
}

Asked ask_gauge(Scene& scene) {
    Asked asked;
    const int value = scene.code();
    auto name = scene.gauge();
    asked.notes.push_back(Scene::shows(name, value));
    for (int hop = 1; hop < kHops; ++hop) {
        auto next = scene.gauge();
        asked.notes.push_back(Scene::follows(next, name));
        name = std::move(next);
    }
    asked.question = fmt::format("Which number does gauge {} show? Reply with the number alone.", name);
    asked.right = says_codes({value});
    return asked;
}

Asked ask_sum(Scene& scene, Draw& draw) {
    Asked asked;
    const auto who = scene.bringer();
    std::int64_t sum = 0;
    for (int part = 0; part < kParts; ++part) {
        const int crates = draw.from(2, 19);
        sum += crates;
        asked.notes.push_back(scene.brought(who, crates));
    }
    asked.question = fmt::format("How many crates did {} bring in all, over all notes? End with the number.", who);
    asked.right = [sum](const chat::Told& told) { return last_number(told.text) == sum; };
    return asked;
}

Asked ask_trade(const std::shared_ptr<Scene>& scene, Draw& draw) {
    Asked asked;
    asked.trade = static_cast<std::size_t>(draw.from(0, static_cast<int>(kTrades.size()) - 1));
    const auto who = scene->person();
    asked.notes.push_back(scene->works(who, kTrades[asked.trade]));
    asked.question = fmt::format("Who is the {}? Reply with the name alone.", kTrades[asked.trade].who);
    asked.right = [scene, who = lower(who)](const chat::Told& told) {
        std::set<std::string> named;
        for (const auto& word : words_of(told.text))
            if (scene->is_person(word)) named.insert(word);
        return named.size() == 1 && named.contains(who);
    };
    return asked;
}

Asked ask(NotesKind kind, const std::shared_ptr<Scene>& scene, Draw& draw) {
    switch (kind) {
        case NotesKind::one:
            return ask_lockers(*scene, 1);
        case NotesKind::several:
            return ask_lockers(*scene, kParts);
        case NotesKind::tracking:
            return ask_gauge(*scene);
        case NotesKind::summing:
            return ask_sum(*scene, draw);
        default:
            return ask_trade(scene, draw);
    }
}

// The places of `count` notes among `all`: the first not before `depth`, the others anywhere behind it where there are
// several, and those that are asked for by their order in it.
std::vector<std::size_t> places_of(Draw& draw, std::size_t count, std::size_t all, double depth) {
    if (count == 1) return {static_cast<std::size_t>(depth * static_cast<double>(all - 1) + 0.5)};
    // Where the rest would have no room behind it, they spread over the whole.
    const auto first = std::min(static_cast<std::size_t>(depth * static_cast<double>(all)), all / 2);
    std::set<std::size_t> places;
    while (places.size() < count)
        places.insert(static_cast<std::size_t>(draw.from(static_cast<int>(first), static_cast<int>(all) - 1)));
    return {places.begin(), places.end()};
}

}  // namespace

Notes notes(std::uint64_t seed, NotesKind kind, int number, std::size_t bytes, double depth) {
    const auto name = kNotesKindNames[static_cast<std::size_t>(kind)];
    auto draw = Draw::of(seed, fmt::format("{} {}", name, bytes), static_cast<std::uint64_t>(number));
    const auto scene = std::make_shared<Scene>(draw, bytes);
    auto asked = ask(kind, scene, draw);
    std::size_t size = asked.question.size();
    for (const auto& note : asked.notes) size += note.size() + 1;
    std::vector<std::string> all;
    while (size < bytes) {
        all.push_back(scene->other(asked.trade));
        size += all.back().size() + 1;
    }
    const auto places = places_of(draw, asked.notes.size(), all.size() + asked.notes.size(), depth);
    for (std::size_t i = 0; i < places.size(); ++i)
        all.insert(all.begin() + static_cast<std::ptrdiff_t>(std::min(places[i], all.size())),
                   std::move(asked.notes[i]));
    std::string text = "Read these notes.\n\n";
    for (std::size_t i = 0; i < all.size(); ++i) text += all[i] + ((i + 1) % kParagraph == 0 ? "\n\n" : " ");
    return {fmt::format("{}\n\n{}", trim(text), asked.question), std::move(asked.right)};
}

}  // namespace tandem::probe
