// tandem audit: what left this machine, whether its record is whole, and whether the laws held.
#include <fmt/format.h>

#include <array>
#include <fstream>
#include <optional>

#include "api/explain.h"
#include "base/hash.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/input.h"
#include "privacy/checkpoints.h"
#include "privacy/egress.h"

namespace tandem::cli {

namespace {

// Gives the config and its ledger, opened to read, to `work`; or prints why not.
template <typename Work>
int with_ledger(const Globals& globals, Work&& work) {
    const auto config = globals.load();
    if (!config) return report(globals, config.error());
    const auto database = open_ledger(*config);
    if (!database) return report(globals, database.error());
    return work(*config, **database);
}

Result<privacy::RecordVerdict> whole(const config::Config& config, store::Database& database) {
    return privacy::verify_record(config.data, config.checkpoints_file(), database);
}

void write_record(json::Writer& out, const privacy::EgressRecord& r) {
    out.begin_object()
        .member("sequence", r.sequence)
        .member("time", r.time)
        .member("decision", r.decision)
        .member("provider", r.provider)
        .member("model", r.model);
    out.member("label", kLabelNames[static_cast<std::size_t>(r.label) % 4])
        .member("rule", r.rule)
        .member("bytes", r.bytes)
        .member("body_sha256", r.body_sha256);
    if (!r.operation.empty())
        out.member("operation", r.operation)
            .member("clearance", kLabelNames[static_cast<std::size_t>(r.clearance) % 4])
            .member("redacted", r.redacted);
    if (!r.headers.empty()) out.member("headers", r.headers);
    out.member("previous", r.previous).member("hash", r.hash).end_object();
}

std::string line_of(const privacy::EgressRecord& r) {
    const auto label = kLabelNames[static_cast<std::size_t>(r.label) % 4];
    if (r.operation == privacy::kRelease)
        return fmt::format("{:>7}  {}  RELEASED {} to {}: {}", r.sequence, api::time_text(r.time), r.decision, label,
                           r.rule);
    auto text = fmt::format("{:>7}  {}  {:<14} {:<20} {:<9} {:>9} bytes  rule {}  {}", r.sequence,
                            api::time_text(r.time), r.provider, r.model, label, r.bytes, r.rule, r.decision);
    if (!r.redacted.empty()) text += "  without " + r.redacted;
    if (!r.headers.empty()) text += "  with " + r.headers;
    return text;
}

// ---- verify ----

Result<privacy::EgressRecord> record_from(const json::Value& v) {
    auto str = [&](std::string_view name) { return std::string(v[name].text()); };
    auto number = [&](std::string_view name) { return v[name].integer().value_or(0); };
    const auto label = label_from(v["label"].text());
    const auto clearance = label_from(v["clearance"].string().value_or("public"));
    if (!label || !clearance) return fail(ErrorCode::invalid, "a record has no label");
    return privacy::EgressRecord{number("sequence"), number("time"),   str("decision"), str("provider"),
                                 str("model"),       *label,           str("rule"),     number("bytes"),
                                 str("body_sha256"), str("operation"), *clearance,      str("redacted"),
                                 str("headers"),     str("previous"),  str("hash")};
}

// A file of `audit export`, on any machine: its chain, and its checkpoint's signature.
int verify_file(const Globals& globals, const std::string& name) {
    std::ifstream file;
    if (const auto in = open_input(name, file); !in) return report(globals, in.error());
    std::string line, previous, broken, key_text;
    std::int64_t records = 0, last = 0;
    bool is_signed = false;
    while (broken.empty() && std::getline(file, line)) {
        json::Document document;
        if (!document.parse(line)) {
            broken = fmt::format("line {} is not JSON", records + 1);
            break;
        }
        const auto root = document.root();
        if (const auto checkpoint = root["checkpoint"]; checkpoint.exists()) {
            const auto read = privacy::checkpoint_from_json(checkpoint.raw());
            privacy::PublicKey key{};
            key_text = root["public_key"].text();
            const bool good_key = from_hex(key_text, key);
            if (!read || !good_key || !privacy::verify(key, read->signed_text(), read->signature))
                broken = "the checkpoint at its end is not signed by the key that it names";
            else if (records > 0 && (read->hash != previous || read->records != last))
                broken = "the checkpoint at its end is of another record";
            is_signed = true;
            continue;
        }
        const auto record = record_from(root);
        if (!record)
            broken = record.error().message;
        else if (privacy::hash_of(*record) != record->hash)
            broken = fmt::format("record {} was changed", record->sequence);
        else if (records > 0 && (record->previous != previous || record->sequence != last + 1))
            broken = fmt::format("record {} does not follow the one before it", record->sequence);
        else
            ++records;
        if (record) {
            previous = record->hash;
            last = record->sequence;
        }
    }
    if (broken.empty() && !is_signed) broken = "it has no checkpoint at its end; it may have been cut";
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("records", records).member("whole", broken.empty()).member("public_key", key_text);
        if (!broken.empty()) out.member("broken", broken);
        out.end_object();
        fmt::print("{}\n", out.text());
    } else if (broken.empty()) {
        fmt::print("{} is whole: {} records, signed by {}\n", name, records, key_text);
    } else {
        fmt::print(stderr, "{} is BROKEN: {}\n", name, broken);
    }
    return broken.empty() ? kOk : kBroken;
}

int verify(const Globals& globals, const config::Config& config, store::Database& database) {
    const auto verdict = whole(config, database);
    if (!verdict) return report(globals, verdict.error());
    const auto broken = verdict->broken();
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("records", verdict->chain.records).member("whole", broken.empty());
        out.member("checkpoints", verdict->checkpoints.checkpoints)
            .member("signed_records", verdict->checkpoints.newest.records);
        if (!broken.empty()) out.member("broken", broken);
        out.end_object();
        fmt::print("{}\n", out.text());
    } else if (broken.empty()) {
        fmt::print("the egress record is whole: {} records, each follows from the one before\n",
                   verdict->chain.records);
        fmt::print("{} signed checkpoints agree; the newest is of record {}\n", verdict->checkpoints.checkpoints,
                   verdict->checkpoints.newest.records);
    } else {
        fmt::print(stderr, "the egress record is BROKEN: {}\n", broken);
    }
    return broken.empty() ? kOk : kBroken;
}

// ---- list, show, export ----

int list(const Globals& globals, const config::Config&, store::Database& database, std::int64_t since) {
    auto listed = privacy::list_egress(database, since, [&](const privacy::EgressRecord& r) {
        if (globals.json) {
            json::Writer out;
            write_record(out, r);
            fmt::print("{}\n", out.text());
        } else {
            fmt::print("{}\n", line_of(r));
        }
    });
    return listed ? kOk : report(globals, listed.error());
}

int show(const Globals& globals, store::Database& database, std::int64_t sequence) {
    std::optional<privacy::EgressRecord> found;
    auto listed = privacy::list_egress(database, INT64_MIN, [&](const privacy::EgressRecord& r) {
        if (r.sequence == sequence) found = r;
    });
    if (!listed) return report(globals, listed.error());
    if (!found)
        return report(globals,
                      {ErrorCode::not_found, fmt::format("there is no record {}; see tandem audit list", sequence)});
    if (globals.json) {
        json::Writer out;
        write_record(out, *found);
        fmt::print("{}\n", out.text());
        return kOk;
    }
    const auto& r = *found;
    auto row = [](std::string_view name, std::string_view value) { fmt::print("{:<12} {}\n", name, value); };
    row("record", std::to_string(r.sequence));
    row("time", api::time_text(r.time));
    row("operation", r.operation.empty() ? "(not recorded by that version)" : r.operation);
    row("to", fmt::format("{} at {}", r.model, r.provider));
    row("label", kLabelNames[static_cast<std::size_t>(r.label) % 4]);
    if (!r.operation.empty()) row("clearance", kLabelNames[static_cast<std::size_t>(r.clearance) % 4]);
    row("taken out", r.redacted.empty() ? "nothing" : r.redacted);
    row("headers", r.headers.empty() ? "none of its client's" : r.headers);
    row("rule", r.rule);
    row("bytes", fmt::format("0 to {}", r.bytes));
    row("sha256", r.body_sha256);
    row("decision", r.decision);
    row("previous", r.previous);
    row("hash", r.hash);
    return kOk;
}

// Records as JSON lines, then the newest checkpoint and the key to check it with: what an auditor can take away.
int export_records(const Globals& globals, const config::Config& config, store::Database& database,
                   std::int64_t since) {
    const auto verdict = whole(config, database);
    if (!verdict) return report(globals, verdict.error());
    const auto key = privacy::public_key_of(config.data);
    if (!key) return report(globals, key.error());
    const auto& newest = verdict->checkpoints.newest;
    auto listed = privacy::list_egress(database, since, [&](const privacy::EgressRecord& r) {
        if (r.sequence > newest.records) return;  // not signed yet
        json::Writer out;
        write_record(out, r);
        fmt::print("{}\n", out.text());
    });
    if (!listed) return report(globals, listed.error());
    json::Writer out;
    out.begin_object().raw_member("checkpoint", privacy::to_json(newest)).member("public_key", hex(*key));
    out.end_object();
    fmt::print("{}\n", out.text());
    if (!verdict->broken().empty()) fmt::print(stderr, "the egress record is BROKEN: {}\n", verdict->broken());
    return verdict->broken().empty() ? kOk : kBroken;
}

// ---- prove ----

// Cloud attempts of the ledger that have no egress record.
Result<std::vector<std::string>> unmatched(store::Database& database, std::int64_t since) {
    std::vector<std::string> problems;
    auto rows = database.prepare(
        "SELECT DISTINCT decision FROM attempts WHERE zone = 1 AND time >= ? AND status = 200 AND decision || ' ' || "
        "provider NOT IN (SELECT decision || ' ' || provider FROM egress)");
    rows.bind(1, since);
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return problems;
        problems.push_back(
            fmt::format("decision {} was answered by a cloud, and there is no record of what left", rows.text(0)));
    }
}

int prove(const Globals& globals, const config::Config& config, store::Database& database, std::int64_t since) {
    const auto verdict = whole(config, database);
    if (!verdict) return report(globals, verdict.error());
    std::vector<std::string> broken;
    if (!verdict->broken().empty()) broken.push_back(verdict->broken());
    std::array<std::vector<privacy::EgressRecord>, 4> by_label;
    std::vector<privacy::EgressRecord> releases;
    std::int64_t of_first_version = 0;
    auto listed = privacy::list_egress(database, since, [&](const privacy::EgressRecord& r) {
        if (r.operation == privacy::kRelease) return releases.push_back(r);
        if (r.operation.empty())
            ++of_first_version;
        else if (r.label > r.clearance)
            broken.push_back(fmt::format("record {} is {}, and {} was cleared for {}", r.sequence,
                                         kLabelNames[static_cast<std::size_t>(r.label) % 4], r.provider,
                                         kLabelNames[static_cast<std::size_t>(r.clearance) % 4]));
        by_label[static_cast<std::size_t>(r.label) % 4].push_back(r);
    });
    if (!listed) return report(globals, listed.error());
    auto missing = unmatched(database, since);
    if (!missing) return report(globals, missing.error());
    broken.insert(broken.end(), missing->begin(), missing->end());
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("held", broken.empty()).key("broken").begin_array();
        for (const auto& text : broken) out.value(text);
        out.end_array().key("left").begin_object();
        for (std::size_t label = 0; label < by_label.size(); ++label) {
            out.key(kLabelNames[label]).begin_array();
            for (const auto& r : by_label[label]) write_record(out, r);
            out.end_array();
        }
        out.end_object().key("released").begin_array();
        for (const auto& r : releases) write_record(out, r);
        out.end_array().end_object();
        fmt::print("{}\n", out.text());
        return broken.empty() ? kOk : kBroken;
    }
    for (std::size_t label = by_label.size(); label-- > 0;) {
        const auto& records = by_label[label];
        std::int64_t bytes = 0;
        for (const auto& r : records) bytes += r.bytes;
        fmt::print("{}: {} bodies, {} bytes left\n", kLabelNames[label], records.size(), bytes);
        for (const auto& r : records)
            fmt::print("  record {:>6}  bytes 0-{:<8} to {} ({})  sha256 {}{}\n", r.sequence, r.bytes, r.provider,
                       r.operation.empty() ? "unsaid" : r.operation, r.body_sha256,
                       (r.redacted.empty() ? "" : "  without " + r.redacted) +
                           (r.headers.empty() ? "" : "  with " + r.headers));
    }
    for (const auto& r : releases) fmt::print("{}\n", line_of(r));
    if (of_first_version > 0)
        fmt::print("{} records are of a version that did not note the clearance; their labels are as recorded\n",
                   of_first_version);
    if (broken.empty()) {
        fmt::print(
            "the law held: nothing left above the clearance of who got it, all of it is on record, and the record "
            "is whole\n");
        return kOk;
    }
    for (const auto& text : broken) fmt::print(stderr, "BROKEN: {}\n", text);
    return kBroken;
}

}  // namespace

void add_audit(CLI::App& app, Globals& globals, Action& action) {
    auto* group = app.add_subcommand("audit", "What left this machine");
    group->require_subcommand(1);
    auto file = std::make_shared<std::string>();
    auto* check = group->add_subcommand(
        "verify", "Follow the hash chain of the egress record and its signed checkpoints; exit 6 where it is broken");
    check->add_option("--file", *file, "Check a file that `audit export` wrote instead; needs nothing else");
    check->callback([&, file] {
        action = [&globals, file] {
            if (!file->empty()) return verify_file(globals, *file);
            return with_ledger(globals,
                               [&](const auto& config, auto& database) { return verify(globals, config, database); });
        };
    });
    auto since = std::make_shared<std::string>();
    using OfTime = int (*)(const Globals&, const config::Config&, store::Database&, std::int64_t since);
    auto add = [&](const char* name, const char* help, OfTime run) {
        auto* command = group->add_subcommand(name, help);
        command->add_option("--since", *since, "30m, 24h, 7d, or a date");
        command->callback([&globals, &action, since, run] {
            action = [&globals, since, run] {
                const auto from = since_from(*since);
                if (!from) {
                    report(globals, from.error());
                    return static_cast<int>(kUsage);
                }
                return with_ledger(
                    globals, [&](const auto& config, auto& database) { return run(globals, config, database, *from); });
            };
        });
    };
    add("list", "Print the records, oldest first; with --json one JSON object a line", list);
    add("export", "Write the records as JSON lines, and the newest signed checkpoint; for `audit verify --file`",
        export_records);
    add("prove", "List every body that left, by label, and say whether the law held; exit 6 where it did not", prove);
    auto sequence = std::make_shared<std::int64_t>();
    auto* one = group->add_subcommand("show", "Print one record");
    one->add_option("record", *sequence, "Its number, from `audit list`")->required();
    one->callback([&, sequence] {
        action = [&globals, sequence] {
            return with_ledger(globals,
                               [&](const auto&, auto& database) { return show(globals, database, *sequence); });
        };
    });
}

}  // namespace tandem::cli
