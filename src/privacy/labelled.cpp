#include "privacy/labelled.h"

#include <algorithm>

#include "privacy/memory.h"
#include "store/row.h"

namespace tandem::privacy {

namespace {

constexpr std::int64_t kTrimEvery = 64;     // decisions
constexpr std::size_t kMostNamed = 65'536;  // digests of a conversation that is released by its name

store::Columns<LabelledDecision> labelled_columns() {
    using store::column;
    using L = LabelledDecision;
    return {column("decision", &L::decision),
            column("fingerprint", &L::fingerprint),
            column("response", &L::response),
            column("key", &L::key),
            column("name", &L::name),
            column("goes_on", &L::from),
            {"leaves", [](store::Statement& to, int at, const L& row) { to.bind_blob(at, packed(row.leaves)); },
             [](const store::Statement& from, int at, L& row) { row.leaves = unpacked(from.text(at)); }},
            column("answer", &L::answer)};
}

const store::Table<LabelledDecision>& labelled() {
    static const store::Table<LabelledDecision> table("labelled_decisions", labelled_columns());
    return table;
}

struct Named {
    LabelledDecision decision;
    bool newest = false;  // of its client's name
};

const store::Selection<Named>& named() {
    static const store::Selection<Named> selection(
        "labelled_decisions d",
        store::both(store::within(&Named::decision, labelled_columns()),
                    {store::column("rowid = (SELECT max(rowid) FROM labelled_decisions n WHERE n.name = d.name)",
                                   &Named::newest)}));
    return selection;
}

void add(const LabelledDecision& one, LabelledConversation& out) {
    out.fingerprints.push_back(one.fingerprint);
    if (!one.response.empty()) out.kept.push_back("resp_" + one.response);
    if (!one.from.empty()) out.kept.push_back(one.from);
    // The answer's own digest stands behind those of the request.
    out.more = out.more || one.leaves.size() >= kMostLeaves;
    out.leaves.insert(out.leaves.end(), one.leaves.begin(), one.leaves.end());
    if (one.answer != 0) out.pieces.push_back(one.answer);
}

void without_doubles(auto& values) {
    std::ranges::sort(values);
    const auto doubles = std::ranges::unique(values);
    values.erase(doubles.begin(), doubles.end());
}

}  // namespace

Result<> insert(store::Database& database, const LabelledDecision& decision) {
    if (auto ok = labelled().insert_new(database, decision); !ok) return ok;
    {
        auto newest = database.prepare("SELECT max(rowid) FROM labelled_decisions");
        const auto row = newest.step();
        if (!row) return fail(row.error());
        if (newest.integer(0) % kTrimEvery != 0) return {};
    }
    return database
        .prepare(
            "DELETE FROM labelled_decisions WHERE key = ?1 AND rowid <= (SELECT rowid FROM labelled_decisions WHERE "
            "key = ?1 ORDER BY rowid DESC LIMIT 1 OFFSET ?2)")
        .bind(1, decision.key)
        .bind(2, kMostDecisions)
        .run();
}

Result<> add_answer(store::Database& database, const std::string& decision, std::int64_t piece, std::int64_t leaf) {
    const std::vector<std::int64_t> leaves(leaf == 0 ? 0 : 1, leaf);
    return database
        .prepare("UPDATE labelled_decisions SET answer = ?1, leaves = CAST(leaves || ?2 AS BLOB) WHERE decision = ?3")
        .bind(1, piece)
        .bind_blob(2, packed(leaves))
        .bind(3, decision)
        .run();
}

Result<LabelledConversation> conversation_of(store::Database& database, const std::string& decision) {
    LabelledConversation found;
    static const auto kOne = named().select("WHERE decision = ?");
    auto row = database.prepare(kOne.c_str());
    row.bind(1, decision);
    auto ok = named().each(row, [&](const Named& one) {
        add(one.decision, found);
        // Its client's name for it goes with it, where nothing labelled came under that name since.
        if (one.decision.name != 0 && one.newest) found.fingerprints.push_back(one.decision.name);
    });
    if (!ok) return fail(ok.error());
    if (found.fingerprints.empty())
        return fail(Fault::unknown_decision,
                    "there is no labelled conversation of that decision, or it is too old; `tandem explain` shows a "
                    "decision's label");
    return found;
}

Result<LabelledConversation> conversation_named(store::Database& database, std::int64_t fingerprint) {
    LabelledConversation found;
    static const auto kNewestFirst = labelled().select("WHERE name = ? ORDER BY rowid DESC");
    auto rows = database.prepare(kNewestFirst.c_str());
    rows.bind(1, fingerprint);
    auto ok = labelled().each(rows, [&](const LabelledDecision& one) {
        if (found.leaves.size() < kMostNamed)
            add(one, found);
        else
            found.more = true;
    });
    if (!ok) return fail(ok.error());
    found.fingerprints.push_back(fingerprint);
    for (auto* numbers : {&found.fingerprints, &found.leaves, &found.pieces}) without_doubles(*numbers);
    without_doubles(found.kept);
    return found;
}

}  // namespace tandem::privacy
