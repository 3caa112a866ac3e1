// tandem index: the collections of files that `tandem search` looks through.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/index_here.h"
#include "cli/model.h"
#include "cli/remote.h"

namespace tandem::cli {

namespace {

using retrieval::Retrieval;
using retrieval::View;

constexpr const char* kPath = "/tandem/v1/index";
constexpr milliseconds kPause{200};

View owner() {
    return View::of(access::Principal::admin());
}

struct Wanted {
    config::Collection collection;
    std::string folder, label;
    bool wait = false;
};

std::string body_of(const config::Collection& one) {
    json::Writer out;
    out.begin_object().member("name", one.name).member("folder", one.folder.string());
    out.member("label", name_of(one.label)).member("owner", one.owner).key("keys").begin_array();
    for (const auto& key : one.keys) out.value(key);
    out.end_array().key("globs").begin_array();
    for (const auto& glob : one.globs) out.value(glob);
    return out.end_array().end_object().take();
}

// One line on a terminal that is written over; nothing elsewhere.
void show_progress(const json::Value& root, const std::string& name) {
    if (isatty(STDERR_FILENO) == 0) return;
    for (const json::Value one : root["collections"].children()) {
        if (one["name"].text() != name) continue;
        const auto left = root["seconds_left"].integer();
        fmt::print(stderr, "\r{}: {} files, {} wait{}   ", name, one["files"].raw(), one["waiting"].raw(),
                   left ? fmt::format(", about {} s left", *left) : "");
    }
}

// Whether the collection is as its folder is; nullopt: it is not there.
std::optional<bool> is_current(const json::Value& root, const std::string& name) {
    for (const json::Value one : root["collections"].children())
        if (one["name"].text() == name) return one["state"].text() == "current" || one["state"].text() == "trouble";
    return std::nullopt;
}

// Files that change all the time are never as the index has them: who waits for the others waits no longer than this
// once no file is new.
class Restless {
  public:
    bool is_over(const json::Value& root, const std::string& name) {
        for (const json::Value one : root["collections"].children()) {
            if (one["name"].text() != name) continue;
            const auto known =
                fmt::format("{} {} {}", one["files"].raw(), one["failed"].raw(), one["other_formats"].raw());
            const auto now = std::chrono::steady_clock::now();
            if (known != known_ || one["waiting"].integer().value_or(0) > kFew) since_ = now;
            known_ = known;
            return now - since_ > kPatience;
        }
        return false;
    }

  private:
    static constexpr std::int64_t kFew = 10;
    static constexpr std::chrono::seconds kPatience{60};
    std::string known_;
    std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

// Until the server's index of the collection is as its folder.
int wait_for(const Globals& globals, const config::Config& config, const std::string& name) {
    const auto remote = remote_of(config);
    Restless restless;
    while (true) {
        auto answer = call(remote, {.path = kPath, .headers = {}, .body = {}});
        if (!answer) return report(globals, answer.error());
        json::Document document;
        if (auto ok = document.parse(answer->body); !ok) return report(globals, ok.error());
        const auto current = is_current(document.root(), name);
        if (!current || *current) break;  // it may have been removed meanwhile
        if (restless.is_over(document.root(), name)) {
            fmt::print(stderr, "tandem: some files of {} change all the time; the others are indexed\n", name);
            break;
        }
        show_progress(document.root(), name);
        std::this_thread::sleep_for(kPause);
    }
    if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\n");
    return kOk;
}

int print_collection(const Globals& globals, const std::string& status, const std::string& name) {
    json::Document document;
    if (auto ok = document.parse(status); !ok) return report(globals, ok.error());
    for (const json::Value one : document.root()["collections"].children()) {
        if (one["name"].text() != name) continue;
        if (globals.json)
            fmt::print("{}\n", one.raw());
        else
            fmt::print(
                "{}: {} files, {} could not be read (`tandem index failures {}`), {} have formats that are not "
                "read\n",
                name, one["files"].raw(), one["failed"].raw(), name, one["other_formats"].raw());
        if (const auto trouble = one["trouble"].text(); !trouble.empty()) {
            fmt::print(stderr, "tandem: {}\n", printable(trouble, 400));
            return kFailed;
        }
    }
    return kOk;
}

int add(const Globals& globals, Wanted wanted) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    std::error_code error;
    auto& collection = wanted.collection;
    collection.folder = std::filesystem::canonical(wanted.folder, error);
    if (error)
        return report(globals,
                      {Fault::file_not_found, fmt::format("{}: {}", printable(wanted.folder, 200), error.message())});
    if (!wanted.label.empty()) collection.label = *label_from(wanted.label);
    std::string status;
    const auto answer = ask_index(*config, "POST", kPath, body_of(collection), Retrieval::Use::keep,
                                  [&](Retrieval& index) -> Result<std::string> {
                                      if (auto ok = index.add(collection); !ok) return fail(ok.error());
                                      if (wanted.wait) {
                                          index.start();
                                          index.wait([] { return false; });
                                      }
                                      status = *index.status(owner());
                                      return std::string();
                                  });
    if (!answer) return report(globals, answer.error());
    const bool here = answer->empty();
    if (!wanted.wait) {
        if (globals.json) fmt::print("{{\"name\":{},\"added\":true}}\n", json::quoted(collection.name));
        if (!globals.json)
            fmt::print("{} is added; {}\n", collection.name,
                       here ? "`tandem serve` indexes it" : "`tandem index status` says how far its index is");
        return kOk;
    }
    if (here) return print_collection(globals, status, collection.name);
    if (const int code = wait_for(globals, *config, collection.name); code != kOk) return code;
    auto now = call(remote_of(*config), {.path = kPath, .headers = {}, .body = {}});
    if (!now) return report(globals, now.error());
    return print_collection(globals, now->body, collection.name);
}

void print_status(const json::Value& root) {
    fmt::print("{:<20} {:<9} {:>8} {:>7} {:>7} {:>8}  {:<9} {}\n", "collection", "label", "files", "failed", "other",
               "waiting", "state", "folder");
    for (const json::Value one : root["collections"].children()) {
        fmt::print("{:<20} {:<9} {:>8} {:>7} {:>7} {:>8}  {:<9} {}\n", one["name"].text(), one["label"].text(),
                   one["files"].raw(), one["failed"].raw(), one["other_formats"].raw(), one["waiting"].raw(),
                   one["state"].text(), printable(one["folder"].text(), 400));
        if (one["watched"].boolean() == false)
            fmt::print("  the system tells of no changes there; it is looked through again and again\n");
        if (const auto trouble = one["trouble"].text(); !trouble.empty()) fmt::print("  {}\n", printable(trouble, 400));
    }
    if (root["keeps"].boolean() == false)
        fmt::print("\nno server runs, so nobody keeps the index; counts are those of a running server\n");
    if (!root["bytes"].exists() || root["keeps"].boolean() == false) return;
    fmt::print("\nthe index has {} of {} (retrieval.max_bytes): {} chunks of {} documents\n",
               size_text(root["bytes"].integer().value_or(0)), size_text(root["max_bytes"].integer().value_or(0)),
               root["chunks"].raw(), root["documents"].raw());
    if (root["full"].boolean() == true) fmt::print("it is full: new files are not taken\n");
    if (const auto left = root["seconds_left"].integer())
        fmt::print("about {} s are left, at {} a second\n", *left,
                   size_text(root["bytes_per_second"].integer().value_or(0)));
    if (const auto lost = root["overflows"].integer().value_or(0); lost > 0)
        fmt::print("{} times more changed at once than the system keeps; all folders were looked through then\n", lost);
    if (const auto held = root["reader_held_to"].text(); !held.empty())
        fmt::print("the process that reads files is held to: {}\n", held);
    if (const auto trouble = root["trouble"].text(); !trouble.empty()) fmt::print("{}\n", printable(trouble, 400));
}

int show(const Globals& globals) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    const auto answer = ask_index(*config, "GET", kPath, "", Retrieval::Use::read,
                                  [](Retrieval& index) { return index.status(owner()); });
    if (!answer) return report(globals, answer.error());
    json::Document document;
    if (auto ok = document.parse(*answer); !ok) return report(globals, ok.error());
    if (globals.json)
        fmt::print("{}\n", *answer);
    else
        print_status(document.root());
    return kOk;
}

int failures(const Globals& globals, const std::string& name) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    constexpr std::size_t kMost = 10'000;
    const auto answer =
        ask_index(*config, "GET", fmt::format("{}/{}/failures", kPath, percent_encoded(name)), "", Retrieval::Use::read,
                  [&name](Retrieval& index) { return index.failures(owner(), name, kMost); });
    if (!answer) return report(globals, answer.error());
    json::Document document;
    if (auto ok = document.parse(*answer); !ok) return report(globals, ok.error());
    if (globals.json) {
        fmt::print("{}\n", *answer);
        return kOk;
    }
    for (const json::Value one : document.root()["failures"].children())
        fmt::print("{}: {}\n", printable(one["path"].text(), 1'000), printable(one["reason"].text(), 400));
    if (document.root()["failed"].raw() == "0")
        fmt::print("every file of {} that has a format that is read was read\n", name);
    return kOk;
}

// `act`: what an index that this command keeps does. With `wait`, until the index is as the folders are.
int change(const Globals& globals, const std::string& method, const std::string& name, const std::string& rest,
           const std::function<Result<>(Retrieval&)>& act, const std::string& done) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    const auto answer = ask_index(*config, method, fmt::format("{}/{}{}", kPath, percent_encoded(name), rest), "",
                                  Retrieval::Use::keep, [&act](Retrieval& index) -> Result<std::string> {
                                      if (auto ok = act(index); !ok) return fail(ok.error());
                                      index.start();
                                      index.wait([] { return false; });
                                      return std::string("{}");
                                  });
    if (!answer) return report(globals, answer.error());
    if (globals.json)
        fmt::print("{}\n", *answer);
    else
        fmt::print("{}\n", done);
    return kOk;
}

}  // namespace

void add_index(CLI::App& app, Globals& globals, Action& action) {
    auto* group = app.add_subcommand("index", "Collections of files that are found");
    group->require_subcommand(1);
    auto wanted = std::make_shared<Wanted>();
    auto* adds = group->add_subcommand("add", "Make a collection of a folder, and all folders below it");
    adds->add_option("name", wanted->collection.name, "What it is called")->required();
    adds->add_option("folder", wanted->folder, "The folder")->required();
    adds->add_option("--label", wanted->label, "Of all that is found in it, at least; private where it is not said")
        ->check(CLI::IsMember(std::vector<std::string>(kLabelNames.begin(), kLabelNames.end())));
    adds->add_option("--glob", wanted->collection.globs, "Only files whose path one of these matches: *.md, docs/**")
        ->allow_extra_args(false);
    adds->add_option("--key", wanted->collection.keys, "A key that sees it beside you")->allow_extra_args(false);
    adds->add_option("--owner", wanted->collection.owner, "Who answers for it");
    adds->add_flag("--wait", wanted->wait, "Until all of it is indexed");
    adds->callback([&, wanted] { action = [&globals, wanted] { return add(globals, *wanted); }; });
    for (const char* name : {"list", "status"}) {
        auto* shows = group->add_subcommand(name, name == std::string("list") ? "The collections" : "How far each is");
        shows->callback([&] { action = [&globals] { return show(globals); }; });
    }
    auto name = std::make_shared<std::string>();
    auto* failed = group->add_subcommand("failures", "Files that could not be read, and why");
    failed->add_option("name", *name, "The collection")->required();
    failed->callback([&, name] { action = [&globals, name] { return failures(globals, *name); }; });
    auto* removes = group->add_subcommand("rm", "Forget a collection; its files stay as they are");
    removes->add_option("name", *name, "The collection")->required();
    removes->callback([&, name] {
        action = [&globals, name] {
            return change(
                globals, "DELETE", *name, "", [&](Retrieval& index) { return index.remove(*name); },
                *name + " is removed, and what was indexed of it is forgotten");
        };
    });
    auto* rebuilds = group->add_subcommand("rebuild", "Read all files of a collection anew");
    rebuilds->add_option("name", *name, "The collection")->required();
    rebuilds->callback([&, name] {
        action = [&globals, name] {
            return change(
                globals, "POST", *name, "/rebuild", [&](Retrieval& index) { return index.rebuild(*name); },
                *name + " is read anew");
        };
    });
}

}  // namespace tandem::cli
