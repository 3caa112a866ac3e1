// What tuning turns on which machine, and how the owner's own arguments come through.
#include "engine/tune/knobs.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/arguments.h"

namespace tandem::engine::tune {

namespace {

const std::string kHelp =
    "--threads --threads-batch --batch-size --ubatch-size --flash-attn --load-mode --spec-type ngram-simple,ngram-mod "
    "draft-simple --model-draft --cache-type-k --cache-type-v --gpu-layers --tensor-split";

Ground ground_of(int cores, int threads, double quota = 0) {
    Ground ground{.cpu = {}, .gpus = {}, .help = kHelp};
    ground.cpu.cores = cores;
    ground.cpu.threads = ground.cpu.usable = threads;
    ground.cpu.quota = quota;
    return ground;
}

config::Model model_with(std::vector<std::string> args) {
    config::Model model;
    model.id = "m";
    model.args = std::move(args);
    return model;
}

const Knob* find(const std::vector<Knob>& knobs, std::string_view name) {
    const auto found = std::ranges::find(knobs, name, &Knob::name);
    return found == knobs.end() ? nullptr : &*found;
}

std::vector<std::string> texts(const std::vector<Knob>& knobs, std::string_view name) {
    std::vector<std::string> all;
    if (const auto* knob = find(knobs, name))
        for (const auto& value : knob->values) all.push_back(value.text);
    return all;
}

config::Model with(const config::Model& model, const std::vector<Knob>& knobs, std::string_view knob,
                   std::string_view value) {
    auto choices = in_use(knobs);
    for (std::size_t at = 0; at < knobs.size(); ++at)
        for (std::size_t i = 0; i < knobs[at].values.size(); ++i)
            if (knobs[at].name == knob && knobs[at].values[i].text == value) choices[at] = i;
    return served(model, knobs, choices);
}

using Words = std::vector<std::string>;

}  // namespace

TEST(Knobs, threadsAreNoMoreThanTheMachineGives) {
    EXPECT_EQ(texts(knobs_for(model_with({}), ground_of(8, 16)), "threads"),
              (Words{"8, as llama-server has it", "4", "12", "16"}));
    EXPECT_EQ(texts(knobs_for(model_with({}), ground_of(2, 2)), "threads"), (Words{"2, as llama-server has it", "1"}));
    EXPECT_EQ(texts(knobs_for(model_with({}), ground_of(1, 1)), "threads"), Words{}) << "there is nothing to turn";
}

// A container with the time of 4 CPUs on a machine of 96: llama-server takes 48 threads, and each waits for the others.
TEST(Knobs, aQuotaOfTimeBoundsThreads) {
    EXPECT_EQ(most_threads(ground_of(48, 96, 4).cpu), 4);
    EXPECT_EQ(most_threads(ground_of(48, 96, 7.65).cpu), 7) << "the eighth would be throttled, and all with it";
    EXPECT_EQ(most_threads(ground_of(48, 96, 0.5).cpu), 1);
    EXPECT_EQ(texts(knobs_for(model_with({}), ground_of(48, 96, 4)), "threads"),
              (Words{"48, as llama-server has it", "1", "2", "3", "4"}));
}

TEST(Knobs, areThoseThatTheProgramKnows) {
    auto ground = ground_of(4, 4);
    ground.help = "--threads --flash-attn --no-mmap";
    const auto knobs = knobs_for(model_with({}), ground);
    std::vector<std::string_view> names;
    for (const auto& knob : knobs) names.push_back(knob.name);
    EXPECT_EQ(names, (std::vector<std::string_view>{"threads", "flash attention", "mmap"}));
    EXPECT_EQ(with(model_with({}), knobs, "mmap", "no").args, Words{"--no-mmap"});
    EXPECT_EQ(with(model_with({}), knobs_for(model_with({}), ground_of(4, 4)), "mmap", "no").args,
              (Words{"--load-mode", "none"}));
}

TEST(Knobs, ofGpusAreThereWithOne) {
    auto ground = ground_of(4, 4);
    EXPECT_EQ(find(knobs_for(model_with({}), ground), "GPU layers"), nullptr);
    ground.gpus = {{.name = "a", .by = "nvml", .total = 24LL << 30, .available = 0},
                   {.name = "b", .by = "nvml", .total = 8LL << 30, .available = 0}};
    const auto knobs = knobs_for(model_with({}), ground);
    EXPECT_EQ(texts(knobs, "GPU layers"), (Words{"as many as fit", "0", "999"}));
    EXPECT_EQ(texts(knobs, "tensor split"), (Words{"as llama-server has it", "1,1", "24,8"}));
    EXPECT_EQ(texts(knobs, "flash attention"), (Words{"auto", "off", "on"}));
}

TEST(Knobs, aQuantisedCacheIsTriedOnlyWhereItIsAllowed) {
    auto ground = ground_of(4, 4);
    EXPECT_EQ(find(knobs_for(model_with({}), ground), "cache"), nullptr);
    ground.quantised_cache = true;
    const auto knobs = knobs_for(model_with({}), ground);
    EXPECT_EQ(texts(knobs, "cache"), (Words{"f16", "q8_0", "q4_0"}));
    EXPECT_TRUE(find(knobs, "cache")->changes_answers);
    EXPECT_EQ(with(model_with({}), knobs, "cache", "q8_0").args,
              (Words{"--cache-type-k", "q8_0", "--cache-type-v", "q8_0"}));
}

TEST(Knobs, slotsAreThoseThatRequestsFill) {
    auto ground = ground_of(4, 4);
    EXPECT_EQ(find(knobs_for(model_with({}), ground), "slots"), nullptr) << "one request needs one";
    ground.concurrency = 6;
    auto model = model_with({});
    model.slots = 3;
    const auto knobs = knobs_for(model, ground);
    EXPECT_EQ(texts(knobs, "slots"), (Words{"1", "2", "3", "4", "6"}));
    EXPECT_EQ(find(knobs, "slots")->now, 2U);
    EXPECT_EQ(with(model, knobs, "slots", "6").slots, 6);
}

TEST(Knobs, whatTheOwnerSaidIsWhatTheOthersAreComparedWith) {
    const auto model = model_with({"--no-webui", "-t", "3", "--flash-attn=off", "--spec-type", "draft-simple", "-md",
                                   "/models/small.gguf", "--ubatch-size", "64"});
    const auto knobs = knobs_for(model, ground_of(4, 8));
    const auto* threads = find(knobs, "threads");
    EXPECT_EQ(threads->values[threads->now].text, "3");
    EXPECT_EQ(find(knobs, "flash attention")->values[find(knobs, "flash attention")->now].text, "off");
    EXPECT_EQ(served(model, knobs, in_use(knobs)).args, model.args) << "nothing is turned";
    EXPECT_EQ(with(model, knobs, "threads", "8").args,
              (Words{"--no-webui", "--flash-attn=off", "--spec-type", "draft-simple", "-md", "/models/small.gguf",
                     "--ubatch-size", "64", "--threads", "8"}));
    EXPECT_EQ(with(model, knobs, "flash attention", "auto").args,
              (Words{"--no-webui", "-t", "3", "--spec-type", "draft-simple", "-md", "/models/small.gguf",
                     "--ubatch-size", "64"}));
    EXPECT_EQ(with(model, knobs, "speculation", "none").args,
              (Words{"--no-webui", "-t", "3", "--flash-attn=off", "--ubatch-size", "64"}));
}

TEST(Knobs, aDraftModelIsOneOfTheConfig) {
    auto ground = ground_of(4, 4);
    ground.drafts = {"/models/qwen2.5-0.5b.gguf"};
    const auto knobs = knobs_for(model_with({}), ground);
    EXPECT_EQ(texts(knobs, "speculation"), (Words{"none", "ngram-simple", "ngram-mod", "draft qwen2.5-0.5b.gguf"}));
    EXPECT_EQ(with(model_with({}), knobs, "speculation", "draft qwen2.5-0.5b.gguf").args,
              (Words{"--spec-type", "draft-simple", "--model-draft", "/models/qwen2.5-0.5b.gguf"}));
}

TEST(Knobs, nonsenseIsNotTried) {
    const auto cpu = ground_of(4, 8).cpu;
    const auto why = [&](const Words& before, const Words& after, std::int64_t tokens) {
        return nonsense(model_with(before), model_with(after), cpu, tokens);
    };
    EXPECT_EQ(why({}, {}, 512), "");
    EXPECT_NE(why({}, {"--ubatch-size", "1024", "--batch-size", "512"}, 4096), "") << "llama-server would lower it";
    EXPECT_NE(why({}, {"--ubatch-size", "1024"}, 512), "") << "no prompt is as long as either";
    EXPECT_EQ(why({}, {"--ubatch-size", "128"}, 512), "");
    EXPECT_EQ(why({}, {"--ubatch-size", "1024"}, 1024), "");
    EXPECT_NE(why({}, {"--threads-batch", "4"}, 512), "") << "4 are what threads are already";
    EXPECT_EQ(why({}, {"--threads-batch", "8"}, 512), "");
    EXPECT_EQ(why({"--ubatch-size", "512", "--batch-size", "256"}, {"--ubatch-size", "512", "--batch-size", "256"}, 64),
              "")
        << "what the owner has is not judged";
}

TEST(Arguments, areFoundAndTakenOutHoweverTheyAreWritten) {
    const Words args = {"--a", "1", "-b", "--c=3", "--aa", "4", "--a=5"};
    const std::vector<std::string_view> a = {"--a"}, b = {"-b"}, c = {"-c", "--c"};
    EXPECT_EQ(argument(args, a), "5") << "the last one counts";
    EXPECT_EQ(argument(args, c), "3");
    EXPECT_TRUE(has_argument(args, b));
    EXPECT_EQ(without_arguments(args, a, true), (Words{"-b", "--c=3", "--aa", "4"}));
    EXPECT_EQ(without_arguments(args, b, false), (Words{"--a", "1", "--c=3", "--aa", "4", "--a=5"}));
    EXPECT_EQ(without_arguments({"--a"}, a, true), Words{}) << "its value is missing";
}

}  // namespace tandem::engine::tune
