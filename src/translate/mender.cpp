#include "translate/mender.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_mend.h"

namespace tandem::translate {

namespace {

// Which of several texts of one kind a value belongs to: choices, calls and blocks have numbers, and come in any order.
std::string place_of(const json::Value& object) {
    std::string place;
    for (const auto* name : {"index", "output_index", "content_index", "summary_index"})
        if (const auto number = object[name].integer()) place += fmt::format("#{}", *number);
    return place;
}

}  // namespace

bool Mender::take(std::string_view type, std::string_view data, const Visit& visit) {
    Event event{std::string(type), json::marked(data), {}, {}};
    json::Document document;
    if (!document.parse(event.data)) return false;
    walk(document.root(), "", event);
    bytes_ += event.data.size();
    queue_.push_back(std::move(event));
    flush(false, visit);
    return true;
}

void Mender::end(const Visit& visit) {
    flush(true, visit);
}

void Mender::walk(const json::Value& value, const std::string& path, Event& event) {
    if (value.is(json::Kind::string)) {
        text(value, path, event);
    } else if (value.is(json::Kind::object)) {
        const auto here = path + place_of(value);
        for (const json::Value member : value.children()) walk(member, fmt::format("{}.{}", here, member.key()), event);
    } else if (value.is(json::Kind::array)) {
        std::size_t number = 0;
        for (const json::Value element : value.children()) {
            const bool numbered = element.is(json::Kind::object) && element["index"].integer();
            walk(element, numbered ? path : fmt::format("{}[{}]", path, number), event);
            ++number;
        }
    }
}

void Mender::text(const json::Value& value, const std::string& path, Event& event) {
    auto said = value.raw();
    said = said.substr(1, said.size() - 2);
    if (said.empty()) return;
    std::size_t start = value.offset() + 1;
    for (auto& waiting : queue_)
        for (auto open = waiting.open.begin(); open != waiting.open.end(); ++open) {
            if (open->path != path) continue;
            auto& marks = open->marks;
            if (const auto rest = json::rest_of(marks.text, said); rest > 0) {
                marks.text = json::unmarked(marks.text + std::string(said.substr(0, rest)));
                waiting.edits.push_back(std::move(marks));
                event.edits.push_back({start, rest, {}});
                said.remove_prefix(rest);
                start += rest;
            }
            waiting.open.erase(open);
            break;
        }
    if (const auto tail = json::begun(said); tail > 0) {
        const auto at = start + said.size() - tail;
        event.open.push_back({path, {at, tail, std::string(said.substr(said.size() - tail))}});
    }
}

// Those at the front that wait for nothing; with `all`, or where too many wait, the others too.
void Mender::flush(bool all, const Visit& visit) {
    while (!queue_.empty() &&
           (all || queue_.front().open.empty() || queue_.size() > kMostEvents || bytes_ > kMostBytes)) {
        auto event = std::move(queue_.front());
        queue_.pop_front();
        bytes_ -= event.data.size();
        std::ranges::sort(event.edits, {}, &Edit::offset);
        std::string data;
        std::size_t at = 0;
        for (const auto& edit : event.edits) {
            data.append(event.data, at, edit.offset - at).append(edit.text);
            at = edit.offset + edit.length;
        }
        data.append(event.data, at);
        visit(event.type, json::unmarked(data));
    }
}

}  // namespace tandem::translate
