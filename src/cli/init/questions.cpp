#include "cli/init/questions.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace tandem::cli {

namespace {

constexpr int kTries = 3;
constexpr std::size_t kLongestLine = 200;

// A line without its end, or nothing at the end of the input. What is longer is cut.
std::optional<std::string> read_line(std::FILE* in) {
    std::string line;
    int c = 0;
    while ((c = std::fgetc(in)) != EOF && c != '\n')
        if (line.size() < kLongestLine) line += static_cast<char>(c);
    if (c == EOF && line.empty()) return {};
    return std::string(trim(line));
}

// One of 1 to `choices`; the first is taken where nothing is said.
int choose(std::FILE* in, std::FILE* out, int choices) {
    for (int i = 0; i < kTries; ++i) {
        fmt::print(out, "  [1] > ");
        std::fflush(out);
        const auto line = read_line(in);
        if (!line || line->empty()) break;
        if (const auto number = whole_number(*line); number && *number >= 1 && *number <= choices)
            return static_cast<int>(*number);
        fmt::print(out, "  '{}' is none of them: 1 to {}, or an empty line for 1\n", printable(*line, 40), choices);
    }
    return 1;
}

std::optional<Money> ask_budget(std::FILE* in, std::FILE* out) {
    fmt::print(out, "\nA budget for the cloud, in USD a day? (for all clients together; an empty line for none)\n");
    for (int i = 0; i < kTries; ++i) {
        fmt::print(out, "  [none] > ");
        std::fflush(out);
        const auto line = read_line(in);
        if (!line || line->empty() || lower(*line) == "none" || lower(*line) == "no") return {};
        std::string written = *line;
        std::ranges::replace(written, ',', '.');  // "2,50", as half of the world writes it
        std::string_view amount = written;
        if (amount.starts_with('$')) amount.remove_prefix(1);
        if (const auto money = Money::parse(trim(amount)); money && *money > Money{}) return *money;
        fmt::print(out, "  '{}' is no amount: a number such as 5 or 2.50\n", printable(*line, 40));
    }
    fmt::print(out, "  no budget is set; add one later under `keys:` in tandem.yaml\n");
    return {};
}

// Nobody has to be asked where one of this machine's own servers runs its own models.
bool is_plain(const FoundServer& server) {
    return server.loopback && !server.hands_on && server.product != "an OpenAI-compatible server";
}

void ask_zone(const FoundServer& server, Zone& zone, std::FILE* in, std::FILE* out) {
    if (is_plain(server)) return;
    fmt::print(out, "\nWhich zone is {} at {}? Private content goes to the zone local, and never to cloud.\n",
               server.product, server.base_url);
    const bool home = zone == Zone::local;
    fmt::print(
        out, "  1  {}\n  2  {}\n",
        home ? "local: this machine, or a network that you trust" : "cloud: it runs elsewhere, or hands on to others",
        home ? "cloud: it runs elsewhere, or hands on to others" : "local: this machine, or a network that you trust");
    if (choose(in, out, 2) == 2) zone = home ? Zone::cloud : Zone::local;
}

}  // namespace

Zone likely_zone(const FoundServer& server) {
    return !server.hands_on && (server.loopback || server.private_network) ? Zone::local : Zone::cloud;
}

void ask_owner(Plan& plan, std::FILE* in, std::FILE* out) {
    for (std::size_t i = 0; i < plan.zones.size(); ++i) ask_zone(plan.found.servers[i], plan.zones[i], in, out);
    if (plan.clouds.empty() && std::ranges::find(plan.zones, Zone::cloud) == plan.zones.end()) return;
    fmt::print(
        out,
        "\nWhat may the cloud see? Detectors label what is sent: public, internal (mail addresses, phone "
        "numbers), private (cards, accounts), secret (credentials).\n"
        "  1  public and internal content; private and secret stay home\n"
        "  2  only public content; a program whose own prompt has a mail address or a phone number in it stays home "
        "with all that it asks\n"
        "  3  as 1, and private content with placeholders in place of what was found\n");
    constexpr std::array kChoices = {CloudSees::internal_, CloudSees::public_, CloudSees::redacted};
    plan.cloud_sees = kChoices[static_cast<std::size_t>(choose(in, out, 3) - 1)];
    plan.daily_budget = ask_budget(in, out);
}

}  // namespace tandem::cli
