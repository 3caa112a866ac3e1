#include "engine/kept_prompts.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "base/id.h"
#include "engine/log_part.h"
#include "engine/state.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kFewestTokens = 64;    // fewer are read again at once
constexpr double kUsualBytesPerSecond = 3e8;  // of a disk, before one was measured
constexpr std::int64_t kUsualBytesPerToken = 128 * 1024;
constexpr std::int64_t kLeastFree = 512LL << 20;  // bytes that stay free on the disk
constexpr milliseconds kUsualTime{5'000};         // for a slot; longer where reading it again takes longer
constexpr milliseconds kMostTime{60'000};         // for all slots of an engine
// What llama-server says where it cannot go on with what it has: it keeps that of models with a sliding window or a
// recurrent state in checkpoints, which it does not write (llama.cpp#28194).
constexpr std::string_view kReadsAgain = "forcing full prompt re-processing";
constexpr std::uintmax_t kLogOfSpeed = 64 * 1024;  // bytes of a log's end that say how fast it reads
constexpr std::string_view kEnding = ".kv";
constexpr std::size_t kSetupDigits = 16;

// Files of all engines, the oldest first.
struct OnDisk {
    fs::path path;
    std::int64_t bytes;
    fs::file_time_type time;
};

std::vector<OnDisk> all_of(const fs::path& data) {
    std::vector<OnDisk> files;
    std::error_code error;
    for (const auto& engine : fs::directory_iterator(data / "engines", error)) {
        if (engine.path().extension() != ".d") continue;
        std::error_code ignored;
        for (const auto& file : fs::directory_iterator(engine.path() / "prompts", ignored))
            if (!file.is_symlink(ignored) && file.is_regular_file(ignored))
                files.push_back(
                    {file.path(), static_cast<std::int64_t>(file.file_size(ignored)), file.last_write_time(ignored)});
    }
    std::ranges::sort(files, {}, &OnDisk::time);
    return files;
}

// Half of what reading it again takes, so that it pays: a long conversation is large.
milliseconds time_for(const PromptFile& file) {
    if (file.tokens_per_second <= 0) return kUsualTime;
    const auto reading = 1'000.0 * static_cast<double>(file.tokens) / file.tokens_per_second;
    return std::clamp(milliseconds(static_cast<std::int64_t>(std::min(reading / 2, 1e9))), kUsualTime, kMostTime);
}

}  // namespace

bool pays(const PromptFile& file) {
    if (file.tokens < kFewestTokens) return false;
    if (file.tokens_per_second <= 0) return true;
    const auto rate = file.bytes_per_second > 0 ? file.bytes_per_second : kUsualBytesPerSecond;
    return static_cast<double>(file.tokens) / file.tokens_per_second > 2 * static_cast<double>(file.bytes) / rate;
}

std::string PromptFolders::name_of(std::string_view setup, int slot) {
    return fmt::format("{}-{}{}", hex(sha256(setup)).substr(0, kSetupDigits), slot, kEnding);
}

std::vector<PromptFolders::Kept> PromptFolders::in(const fs::path& folder, std::string_view setup) {
    std::vector<Kept> kept;
    std::vector<fs::path> others;
    const auto head = name_of(setup, 0).substr(0, kSetupDigits + 1);
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        const auto name = entry.path().filename().string();
        int slot = 0;
        const auto* const digits = name.data() + std::min(head.size(), name.size());
        const bool ours = name.starts_with(head) && name.ends_with(kEnding) &&
                          std::from_chars(digits, name.data() + name.size(), slot).ec == std::errc() &&
                          name_of(setup, slot) == name;
        if (ours)
            kept.push_back({slot, name});
        else
            others.push_back(entry.path());
    }
    for (const auto& other : others) fs::remove(other, error);
    return kept;
}

bool PromptFolders::make_room(std::int64_t bytes, std::int64_t limit) const {
    if (bytes > limit) return false;
    auto files = all_of(data_);
    std::int64_t used = 0;
    for (const auto& file : files) used += file.bytes;
    std::error_code error;
    for (const auto& file : files) {
        if (used + bytes <= limit) break;
        if (fs::remove(file.path, error)) used -= file.bytes;
    }
    const auto space = fs::space(data_, error);
    return used + bytes <= limit && !error && static_cast<std::int64_t>(space.available) - bytes >= kLeastFree;
}

void PromptFolders::remove_all() const {
    std::error_code error;
    for (const auto& file : all_of(data_)) fs::remove(file.path, error);
}

net::Task<> Engines::State::keep_prompts(Engine& engine) {
    const auto* store = engine.kind->prompts;
    if (store == nullptr || engine.prompts.empty()) co_return;
    const auto last_words = end_of(engine.log, kLogOfSpeed);
    if (last_words.find(kReadsAgain) != std::string::npos) co_return;
    const auto until = clock.steady() + kMostTime;
    const auto list = co_await ask(engine, {"GET", std::string(store->list)});
    if (!list) co_return;
    auto slots = store->slots(*list);
    std::ranges::sort(slots, std::greater(), &PromptStore::Slot::tokens);
    const auto& memory = engine.shown.memory;
    const auto tokens = std::max<std::int64_t>(1, engine.model.context_tokens * engine.model.slots);
    const auto per_token = memory.words.cache > 0 ? memory.words.cache / tokens + 1 : kUsualBytesPerToken;
    const PromptFolders folders(settings.data);
    std::int64_t kept = 0, bytes = 0;
    for (const auto& slot : slots) {
        const PromptFile file{slot.tokens, slot.tokens * per_token, read_speed_of(last_words),
                              engine.writes_per_second};
        if (ending || clock.steady() >= until || !pays(file)) continue;
        if (!folders.make_room(file.bytes, static_cast<std::int64_t>(engine.config->engine_prompts))) continue;
        const auto started = clock.steady();
        const auto name = PromptFolders::name_of(engine.measured_as, slot.id);
        const auto said = co_await ask(engine, {"POST", store->save(slot.id), store->file(name), time_for(file)});
        const auto written = said ? store->written(*said) : 0;
        if (written == 0) {
            std::error_code ignored;
            fs::remove(engine.prompts / name, ignored);
            break;
        }
        const auto took = std::chrono::duration<double>(clock.steady() - started).count();
        engine.writes_per_second = static_cast<double>(written) / std::max(took, 0.001);
        kept += slot.tokens;
        bytes += written;
    }
    folders.make_room(0, static_cast<std::int64_t>(engine.config->engine_prompts));
    if (kept > 0)
        spdlog::info("engine {}: {} tokens that it has read are kept on disk ({} bytes)", engine.model.id, kept, bytes);
}

net::Task<> Engines::State::bring_back_prompts(Engine& engine) {
    const auto* store = engine.kind->prompts;
    if (store == nullptr || engine.prompts.empty()) co_return;
    const auto until = clock.steady() + kMostTime;
    for (const auto& kept : PromptFolders::in(engine.prompts, engine.measured_as)) {
        if (!ending && clock.steady() < until && kept.slot < engine.model.slots)
            if (!co_await ask(engine, {"POST", store->restore(kept.slot), store->file(kept.name), kMostTime}))
                spdlog::info("engine {} did not read back what it had kept of slot {}", engine.model.id, kept.slot);
        std::error_code ignored;
        fs::remove(engine.prompts / kept.name, ignored);
    }
}

}  // namespace tandem::engine
