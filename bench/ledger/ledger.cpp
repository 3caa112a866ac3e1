// The ledger at its limits: bench_ledger FOLDER [ATTEMPTS]. Writes a year of attempts by the code that serves requests,
// reads reports of them as a command does after a restart of the machine (the file's pages are put out of the cache),
// and takes reservations from eight threads. Each number stands beside a peer's in the same run:
//   records       one INSERT of the same columns into a table without roll-ups or budgets, as many in a transaction
//   reports       SELECT ... GROUP BY over the attempts' rows, as cold
//   reservations  a mutex around three counters in a map
// One JSON object a line.
#include "ledger/ledger.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_map>

#include "ledger/reports/report.h"

using namespace tandem;

namespace {

constexpr std::int64_t kYearMs = 365LL * 86'400'000;
constexpr std::int64_t kBegin = 1'767'225'600'000;  // 2026-01-01

class SetClock final : public Clock {
  public:
    SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
    WallTime wall() const override { return WallTime(milliseconds(now)); }
    std::int64_t now = kBegin;
};

double seconds_since(std::chrono::steady_clock::time_point from) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
}

template <typename T>
T need(Result<T> result) {
    if (!result) {
        fmt::print(stderr, "{}\n", result.error().message);
        std::exit(1);
    }
    return std::move(*result);
}

void need(Result<> result) {
    if (result) return;
    fmt::print(stderr, "{}\n", result.error().message);
    std::exit(1);
}

// What a small office does: 40 keys in five teams, 12 models, bursts by day.
class Attempts {
  public:
    explicit Attempts(std::int64_t count) : step_(std::max<std::int64_t>(1, kYearMs / count)) {}

    ledger::AttemptRecord next() {
        clock_.now += step_;
        ledger::AttemptRecord a;
        a.decision = DecisionId::make(clock_, *ids_);
        a.time = clock_.now;
        const auto who = draw(40);
        a.key = fmt::format("key-{:02}", who);
        a.team = fmt::format("team-{}", who % 5);
        const auto model = std::min(draw(12), draw(12));
        a.model = fmt::format("model-{:02}", model);
        a.provider = fmt::format("provider-{}", model % 4);
        a.zone = model % 4 == 0 ? Zone::local : Zone::cloud;
        const auto fate = draw(100);
        a.outcome = fate < 96 ? "answered" : fate < 98 ? "failed" : "cancelled";
        a.status = fate < 96 ? 200 : 502;
        a.first_byte_ms = 100 + draw(900);
        a.total_ms = 500 + draw(20'000);
        a.usage = {{200 + draw(8'000)}, {draw(200)}, {draw(1'200)}, {0}, fate >= 98};
        if (a.zone == Zone::cloud) {
            a.cost = Money::from_micros(draw(40'000));
            a.source = prices::PriceSource::book;
            a.bill =
                fmt::format(R"({{"usage":{{"input":{},"cache_read":{},"output":{}}},"entry":"maker/model-{:02}"}})",
                            a.usage.input.count, a.usage.cached_input.count, a.usage.output.count, model);
        }
        a.alias = draw(3) == 0 ? "auto" : "strong";
        a.label = static_cast<Label>(draw(3));
        a.work = draw(2) == 0 ? "code" : "talk";
        return a;
    }

  private:
    std::int64_t draw(std::int64_t below) {
        return static_cast<std::int64_t>(random_() % static_cast<unsigned>(below));
    }

    SetClock clock_;
    std::int64_t step_;
    std::mt19937 random_{1};
    std::unique_ptr<Random> ids_ = seeded_random(1);
};

const store::Migration kMigrations[] = {
    {ledger::kLedgerSchema},           {ledger::kLedgerSchema2}, {ledger::kLedgerSchema3},
    {ledger::reports::kReportsSchema}, {ledger::kBudgetsSchema}, {ledger::reports::kReportsSchema2},
    {ledger::kLedgerSchema5},
};

// Attempts a second. `wait` bounds what is on its way to the writer.
double write_attempts(const std::filesystem::path& file, std::int64_t count, const config::Config& config) {
    auto store = need(store::Store::open(file, kMigrations, store::Durability::process));
    SetClock clock;
    ledger::Budgets budgets(clock);
    need(budgets.adopt(config, *store));
    ledger::Ledger ledger(*store, budgets);
    Attempts attempts(count);
    std::mutex mutex;
    std::condition_variable room;
    std::int64_t under_way = 0;
    const auto from = std::chrono::steady_clock::now();
    for (std::int64_t i = 0; i < count; ++i) {
        {
            std::unique_lock lock(mutex);
            room.wait(lock, [&] { return under_way < 4'096; });
            ++under_way;
        }
        ledger.close({attempts.next()}, {}, [&](Result<ledger::Receipt> receipt) {
            if (!receipt) need(Result<>(fail(receipt.error())));
            const std::lock_guard lock(mutex);
            --under_way;
            room.notify_one();
        });
    }
    {
        std::unique_lock lock(mutex);
        room.wait(lock, [&] { return under_way == 0; });
    }
    return static_cast<double>(count) / seconds_since(from);
}

double write_plain(const std::filesystem::path& file, std::int64_t count) {
    static const store::Migration plain[] = {
        {"CREATE TABLE plain (decision TEXT, number INTEGER, time INTEGER, key TEXT, provider TEXT, model TEXT, zone "
         "INTEGER, outcome TEXT, status INTEGER, error TEXT, first_byte_ms INTEGER, total_ms INTEGER, input INTEGER, "
         "cached INTEGER, output INTEGER, reasoning INTEGER, estimated INTEGER, cost INTEGER, warnings TEXT, "
         "cache_write "
         "INTEGER, source TEXT, bill TEXT, alias TEXT, label INTEGER, work TEXT, team TEXT, PRIMARY KEY (decision, "
         "number)) STRICT, WITHOUT ROWID;"}};
    auto store = need(store::Store::open(file, plain, store::Durability::process));
    Attempts attempts(count);
    const auto from = std::chrono::steady_clock::now();
    for (std::int64_t i = 0; i < count; i += 256)
        need(store->run([&](store::Database& database) -> Result<> {
            for (int k = 0; k < 256; ++k) {
                const auto a = attempts.next();
                auto row = database.prepare(
                    "INSERT INTO plain VALUES (?1,1,?2,?3,?4,?5,?6,?7,?8,'',?9,?10,?11,?12,?13,0,0,?14,'',0,'book',?15,"
                    "?16,?17,?18,?19)");
                row.bind(1, a.decision.text()).bind(2, a.time).bind(3, a.key).bind(4, a.provider).bind(5, a.model);
                row.bind(6, static_cast<std::int64_t>(a.zone)).bind(7, a.outcome);
                row.bind(8, static_cast<std::int64_t>(a.status)).bind(9, a.first_byte_ms).bind(10, a.total_ms);
                row.bind(11, a.usage.input.count).bind(12, a.usage.cached_input.count).bind(13, a.usage.output.count);
                row.bind(14, a.cost.micros()).bind(15, a.bill).bind(16, a.alias);
                row.bind(17, static_cast<std::int64_t>(a.label)).bind(18, a.work).bind(19, a.team);
                if (auto ok = row.run(); !ok) return ok;
            }
            return {};
        }));
    return static_cast<double>(count) / seconds_since(from);
}

// Its pages are read from the disk again.
void make_cold(const std::filesystem::path& file) {
    for (const auto* end : {"", "-wal", "-shm"}) {
        const int fd = ::open((file.string() + end).c_str(), O_RDONLY);
        if (fd < 0) continue;
        ::fdatasync(fd);
        ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        ::close(fd);
    }
}

double report_seconds(const std::filesystem::path& file, const ledger::reports::Question& question,
                      std::size_t& lines) {
    make_cold(file);
    const auto from = std::chrono::steady_clock::now();
    auto database = need(store::Database::open_to_read(file));
    lines = need(ledger::reports::make_report(*database, question)).lines.size();
    return seconds_since(from);
}

double plain_report_seconds(const std::filesystem::path& file) {
    make_cold(file);
    const auto from = std::chrono::steady_clock::now();
    auto database = need(store::Database::open_to_read(file));
    auto rows = database->prepare("SELECT model, sum(cost), sum(input), sum(output) FROM attempts GROUP BY model");
    while (need(rows.step())) {
    }
    return seconds_since(from);
}

struct Spread {
    double p50 = 0, p99 = 0;  // microseconds
};

// Of `work`, done by eight threads at once.
Spread spread_of(const std::function<void(unsigned thread)>& work) {
    constexpr unsigned kThreads = 8, kEach = 50'000;
    std::vector<std::vector<double>> each(kThreads);
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < kThreads; ++t)
        threads.emplace_back([&, t] {
            each[t].reserve(kEach);
            for (unsigned i = 0; i < kEach; ++i) {
                const auto from = std::chrono::steady_clock::now();
                work(t);
                each[t].push_back(seconds_since(from) * 1e6);
            }
        });
    for (auto& thread : threads) thread.join();
    std::vector<double> all;
    for (const auto& one : each) all.insert(all.end(), one.begin(), one.end());
    std::ranges::sort(all);
    return {all[all.size() / 2], all[all.size() * 99 / 100]};
}

config::Config config_of_an_office() {
    std::string yaml = "teams:\n";
    for (int i = 0; i < 5; ++i)
        yaml += fmt::format("  team-{}: {{ budgets: [{{ limit: 1000000, window: month }}] }}\n", i);
    yaml += "keys:\n";
    for (int i = 0; i < 40; ++i)
        yaml += fmt::format(
            "  key-{:02}: {{ secret: key-{:02}-0123456789abcdef, team: team-{}, budgets: [{{ limit: 100000, window: "
            "day "
            "}}] }}\n",
            i, i, i % 5);
    yaml += "budgets: [{ limit: 10000000, window: month }]\n";
    return need(config::parse(yaml, {}, [](const std::string&) { return std::optional<std::string>("/"); }));
}

void bench_reservations(const std::filesystem::path& file, const config::Config& config) {
    auto store = need(store::Store::open(file, kMigrations, store::Durability::process));
    const auto clock = system_clock();
    ledger::Budgets budgets(*clock);
    need(budgets.adopt(config, *store));
    std::vector<access::Principal> who;
    for (unsigned t = 0; t < 8; ++t) who.push_back(access::Principal::client(config.keys[t]));
    const auto ours = spread_of([&](unsigned t) {
        const ledger::Subject subject{
            .key = who[t].id(), .team = who[t].team(), .alias = "auto", .provider = "provider-1", .model = "model-01"};
        auto taken = budgets.reserve(who[t], subject, Money::from_micros(10), {100});
        if (taken) taken->settle(Money::from_micros(1), {10});
    });
    std::mutex mutex;
    std::unordered_map<std::string, std::int64_t> counters;
    const auto theirs = spread_of([&](unsigned t) {
        for (const auto amount : {10, -9}) {
            const std::lock_guard lock(mutex);
            for (const auto* name : {"key", "team", "all"}) counters[name + std::to_string(t)] += amount;
        }
    });
    fmt::print(R"({{"what":"reserve and settle, three budgets, 8 threads","p50_us":{:.2f},"p99_us":{:.2f},)"
               R"("mutex_and_map_p50_us":{:.2f},"mutex_and_map_p99_us":{:.2f}}})"
               "\n",
               ours.p50, ours.p99, theirs.p50, theirs.p99);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        fmt::print(stderr, "bench_ledger FOLDER [ATTEMPTS]: FOLDER gets about 300 bytes for each attempt\n");
        return 2;
    }
    const std::filesystem::path folder = argv[1];
    const std::int64_t count = argc > 2 ? std::atoll(argv[2]) : 10'000'000;
    std::filesystem::create_directories(folder);
    const auto file = folder / "ledger.db", plain = folder / "plain.db";
    const auto config = config_of_an_office();

    bench_reservations(folder / "reservations.db", config);

    const auto sample = std::min<std::int64_t>(count, 500'000);
    const auto few = write_attempts(folder / "sample.db", sample, config), theirs = write_plain(plain, sample);
    fmt::print(R"({{"what":"records a second","attempts":{},"ours":{:.0f},"plain_insert":{:.0f},"ratio":{:.2f}}})"
               "\n",
               sample, few, theirs, few / theirs);
    std::fflush(stdout);
    const auto all = write_attempts(file, count, config);
    fmt::print(R"({{"what":"records a second","attempts":{},"ours":{:.0f},"bytes_each":{:.0f}}})"
               "\n",
               count, all, static_cast<double>(std::filesystem::file_size(file)) / static_cast<double>(count));
    std::fflush(stdout);

    const auto scan = plain_report_seconds(file);
    for (const auto* by : {"model", "key,month", "team,model", "day,model", "work,outcome", "label,zone"})
        for (const bool within_days : {false, true}) {
            auto question =
                need(ledger::reports::question_from(by, within_days ? "2026-03-05T11:13:17Z" : "",
                                                    within_days ? "2026-09-20T17:00:01Z" : "", kBegin + kYearMs));
            std::size_t lines = 0;
            const auto took = report_seconds(file, question, lines);
            fmt::print(R"({{"what":"report, cold","by":"{}","within_days":{},"lines":{},"ms":{:.0f},"scan_ms":{:.0f},)"
                       R"("ratio":{:.4f}}})"
                       "\n",
                       by, within_days, lines, took * 1000, scan * 1000, took / scan);
        }
    return 0;
}
