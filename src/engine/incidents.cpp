#include "engine/incidents.h"

#include <algorithm>
#include <sstream>

#include "base/file.h"
#include "base/text.h"
#include "engine/log_part.h"

namespace tandem::engine {

namespace {

constexpr std::size_t kLargestFile = 4UL << 20;

}  // namespace

Incidents::Incidents(std::filesystem::path file) : file_(std::move(file)) {
    const auto text = read_regular(file_, kLargestFile);
    json::Document document;
    if (!text || !document.parse(*text)) return;
    for (const auto one : document.root()["incidents"].children()) {
        if (all_.size() == kMost) break;
        all_.push_back({WallTime(milliseconds(one["time_ms"].integer().value_or(0))), std::string(one["model"].text()),
                        std::string(one["kind"].text()), std::string(one["what"].text()),
                        std::string(one["lines"].text())});
    }
}

void Incidents::add(Incident incident) {
    const std::lock_guard lock(mutex_);
    if (all_.size() == kMost) all_.erase(all_.begin());
    all_.push_back(std::move(incident));
    write();
}

void Incidents::write() const {
    json::Writer out;
    out.begin_object().key("incidents").begin_array();
    for (const auto& one : all_) engine::write(out, one);
    out.end_array().end_object();
    if (make_folder_of(file_)) (void)write_private_file(file_, out.take());
}

std::vector<Incident> Incidents::newest(std::string_view model, std::size_t most) const {
    const std::lock_guard lock(mutex_);
    std::vector<Incident> result;
    for (auto one = all_.rbegin(); one != all_.rend() && result.size() < most; ++one)
        if (model.empty() || one->model == model) result.push_back(*one);
    return result;
}

std::size_t Incidents::count(std::string_view model) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::ranges::count_if(all_, [&](const Incident& one) { return one.model == model; }));
}

void write(json::Writer& out, const Incident& incident) {
    out.begin_object()
        .member("time_ms", unix_ms(incident.time))
        .member("model", incident.model)
        .member("kind", incident.kind)
        .member("what", incident.what)
        .member("lines", incident.lines)
        .end_object();
}

std::string last_lines_of(const std::filesystem::path& log) {
    std::istringstream text(end_of(log, Incidents::kMostLines));
    std::string line, all;
    if (text.str().size() == Incidents::kMostLines) std::getline(text, line);  // it may have begun before
    while (std::getline(text, line)) all += printable(line, 400) + "\n";
    return all;
}

}  // namespace tandem::engine
