// keys and teams: who may ask.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/names.h"
#include "config/reader.h"

namespace tandem::config {

namespace {

constexpr std::array<std::string_view, 2> kStakesOfKeys = {"normal", "high"};

// What a key is but for its secret.
void read_key_settings(Section& s, Key& key, const Config& config) {
    if (!is_name(key.id)) s.complain("a key's name has only letters, digits and . _ : / -");
    s.label("label", key.label, "of everything that it sends, at least");
    s.choice("most", key.most, kLabelNames,
             {"what has a higher label is refused with 403, wherever it would have gone", "none"});
    if (key.most && *key.most < key.label)
        s.complain("most", fmt::format("is below the label {} that all of it has: it could send nothing",
                                       kLabelNames[static_cast<std::size_t>(key.label)]));
    std::optional<int> value;
    s.renamed("value", "stakes");
    s.choice("stakes", value, kStakesOfKeys, {"how much depends on its answers", "normal"});
    key.high_value = value == 1;
    s.flag("admin", key.admin, About("reads everything, over the API").see("reference/api.md"));
    s.flag("metrics", key.metrics_only, "reads `/metrics`, and nothing else");
    if (key.admin && key.metrics_only) s.complain("metrics", "a key with `admin: true` may read them already");
    s.texts("aliases", key.aliases, {"what it may ask for", "all"});
    if (const auto dialects = s.choices("dialects", kDialectNames, {"which it may speak", "all"}))
        for (const auto dialect : *dialects) key.dialects.emplace_back(kDialectNames[dialect]);
    s.time("expires", key.expires,
           About("a date; from then on it opens nothing, and says so", "never").such_as("2027-01-31"));
    s.text("team", key.team, {"a name of `teams`, whose budgets and limits count as well", "none"});
    if (!key.team.empty() && config.team(key.team) == nullptr)
        s.complain("team",
                   fmt::format("no team '{}'{}", printable(key.team, 60), suggest(key.team, ids(config.teams))));
    s.name("owner", key.owner,
           {"who answers for it: what `tandem cost --by owner` and budgets know all keys of a person by", "none"});
    read_budgets(s, {.key = key.id}, "what it may spend", config, key.budgets);
    s.section("limits",
              "of what it asks, and of what it leaves here. Beyond these, files, conversations and items are refused "
              "with 413; the oldest stored responses go, and those older than 30 days, but none that is under way",
              [&](Section& limits) {
                  read_rates(limits, key.limits);
                  constexpr std::size_t kMostBytes = 1UL << 44;
                  limits.number("files", key.limits.files, 0, 1'000'000, "files");
                  limits.bytes("file_bytes", key.limits.file_bytes, 0, kMostBytes, "of all files");
                  limits.number("responses", key.limits.responses, 0, 10'000'000, "stored responses");
                  limits.bytes("response_bytes", key.limits.response_bytes, 0, kMostBytes, "of all of them");
                  limits.number("conversations", key.limits.conversations, 0, 1'000'000, "conversations");
                  limits.bytes("conversation_bytes", key.limits.conversation_bytes, 0, kMostBytes, "of each of them");
              });
}

}  // namespace

void read_key(const std::string& id, Section& s, Config& config) {
    Key key;
    key.id = id;
    key.secret = std::make_shared<const Secret>();
    s.secret("secret", key.secret,
             About("16 characters at least, or `sha256:HASH`. A changed file behind it is read again").required());
    constexpr std::string_view kHashed = "sha256:";
    if (key.secret->reveal().starts_with(kHashed)) {
        if (!from_hex(lower(key.secret->reveal().substr(kHashed.size())), key.digest))
            s.complain("secret", "expected sha256: and 64 hexadecimal digits; `printf %s KEY | sha256sum` makes them");
        key.secret = std::make_shared<const Secret>();
    } else {
        if (!key.secret->empty() && key.secret->reveal().size() < 16)
            s.complain("secret", "is shorter than 16 characters; `openssl rand -hex 24` makes a good one");
        key.digest = sha256(key.secret->reveal());
    }
    for (const auto& other : config.keys)
        if (other.digest == key.digest && key.digest != sha256(""))
            s.complain("secret", fmt::format("is the same as that of '{}'", other.id));
    read_key_settings(s, key, config);
    config.keys.push_back(std::move(key));
}

void read_team(const std::string& id, Section& s, Config& config) {
    Team team;
    team.id = id;
    if (!is_name(id)) s.complain("a team's name has only letters, digits and . _ : / -");
    read_budgets(s, {.team = id}, "what the keys with `team: NAME` may spend together", config, team.budgets);
    s.section("limits", "of all of them together", [&](Section& limits) { read_rates(limits, team.limits); });
    config.teams.push_back(std::move(team));
}

Result<Key> parse_key(const std::string& id, const std::string& settings, const Config& config) {
    Problems problems;
    problems.source = fmt::format("the key '{}'", id);
    Key key;
    key.id = id;
    key.secret = std::make_shared<const Secret>();
    key.stored = true;
    const Environment none = [](const std::string&) { return std::optional<std::string>(); };
    try {
        Section s(YAML::Load(settings), "keys." + id, problems, none);
        read_key_settings(s, key, config);
        check_key_aliases(key, s, config);
    } catch (const YAML::Exception& error) {
        problems.lines.push_back(error.what());
    }
    if (!problems.lines.empty()) return fail(Fault::invalid_field, join(problems.lines, "; "));
    return key;
}

}  // namespace tandem::config
