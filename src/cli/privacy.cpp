// tandem privacy: what the detectors find in files, without a server.
#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "cli/cli.h"
#include "cli/input.h"
#include "privacy/scan.h"

namespace tandem::cli {

namespace {

struct Asked {
    std::vector<std::string> files;
    bool lines = false;  // of JSON
};

// Where code points stand, for people: line and column from 1. Asked for in order, the text is walked through once.
class Places {
  public:
    explicit Places(std::string_view text) : text_(text) {}

    std::pair<std::size_t, std::size_t> of(std::size_t point) {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
            if (!continues && seen_ == point) break;
            ++at_;
            if (continues) continue;
            ++seen_;
            column_ = c == '\n' ? 1 : column_ + 1;
            if (c == '\n') ++line_;
        }
        return {line_, column_};
    }

  private:
    std::string_view text_;
    std::size_t at_ = 0, seen_ = 0, line_ = 1, column_ = 1;
};

int scan_text(const Globals& globals, privacy::Detector& detector, const config::Detection& detection,
              const std::string& name, const std::string& text) {
    const auto scan = privacy::scan(detector, text, detection);
    if (!scan) return report(globals, scan.error());
    if (globals.json) {
        fmt::print("{}\n", privacy::to_json(*scan, name));
        return kOk;
    }
    Places places(text);
    for (const auto& span : scan->spans) {
        const auto [line, column] = places.of(span.start);
        fmt::print("{}:{}:{}: {} ({}), {}, score {:.2f}\n", name, line, column, span.type, span.detector,
                   name_of(span.label), span.score);
    }
    fmt::print("{}: {}, {} found\n", name, name_of(scan->label), scan->spans.size());
    return kOk;
}

// {"id","text"} in, {"id","label","spans"} out, a line each; a line that is neither is an error that names it.
int scan_lines(const Globals& globals, privacy::Detector& detector, const config::Detection& detection,
               const std::string& name, std::istream& in) {
    std::string line;
    json::Document document;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        if (auto ok = document.parse(line); !ok)
            return report(globals,
                          Error{ErrorCode::invalid, fmt::format("{}:{}: {}", name, number, ok.error().message)});
        const auto id = document.root()["id"];
        const auto text = document.root()["text"].string();
        if (!text || !id.exists())
            return report(globals, Error{ErrorCode::invalid,
                                         fmt::format("{}:{}: expected an object with 'id' and 'text'", name, number)});
        const auto scan = privacy::scan(detector, *text, detection);
        if (!scan) return report(globals, scan.error());
        auto out = privacy::to_json(*scan, "");
        fmt::print("{{\"id\":{},{}\n", id.raw(), out.substr(1));
    }
    return kOk;
}

int run_scan(const Globals& globals, const Asked& asked) {
    const auto config = globals.load();
    if (!config) return report(globals, config.error());
    for (const auto& one : config->unresolved)
        if (one.secret && one.field.starts_with("privacy.own."))
            fmt::print(stderr, "tandem: {}: {}, so it is not looked for\n", one.field, one.missing);
    const auto detector = privacy::make_detector(config->privacy.own);
    if (!detector) return report(globals, detector.error());
    for (const auto& name : asked.files) {
        std::ifstream file;
        const auto in = open_input(name, file);
        if (!in) return report(globals, in.error());
        std::ostringstream text;
        if (!asked.lines) text << (*in)->rdbuf();
        const int code = asked.lines ? scan_lines(globals, **detector, config->privacy.detect, name, **in)
                                     : scan_text(globals, **detector, config->privacy.detect,
                                                 name == "-" ? "stdin" : name, text.str());
        if (code != kOk) return code;
    }
    return kOk;
}

}  // namespace

void add_privacy(CLI::App& app, Globals& globals, Action& action) {
    auto* group = app.add_subcommand("privacy", "What the detectors find");
    group->require_subcommand(1);
    auto* scan =
        group->add_subcommand("scan", "Print what files hold that is private: where and what, never the value");
    auto asked = std::make_shared<Asked>();
    asked->files = {"-"};
    scan->add_option("files", asked->files, "Files; - is stdin, which is the default");
    scan->add_flag("--jsonl", asked->lines,
                   "Read {\"id\",\"text\"} a line, write {\"id\",\"label\",\"spans\"}; positions are code points");
    scan->callback([&, asked] { action = [&globals, asked] { return run_scan(globals, *asked); }; });
}

}  // namespace tandem::cli
