#include "dialect/fields.h"

#include <fmt/format.h>

#include "base/text.h"

namespace tandem::dialect {

using json::Value;

std::unexpected<Error> wrong(std::string param, std::string_view expected) {
    auto message = fmt::format("{}: expected {}", param, expected);
    return fail(Fault::invalid_field, std::move(message), std::move(param));
}

Result<> read_string(const Value& value, const std::string& param, std::string& target) {
    if (!given(value)) return {};
    const auto text = value.string();
    if (!text) return wrong(param, "a string");
    target = *text;
    return {};
}

Result<> read_flag(const Value& value, const std::string& param, bool& target) {
    if (!given(value)) return {};
    const auto flag = value.boolean();
    if (!flag) return wrong(param, "true or false");
    target = *flag;
    return {};
}

Result<> read_flag(const Value& value, const std::string& param, std::optional<bool>& target) {
    bool flag = false;
    if (auto ok = read_flag(value, param, flag); !ok) return ok;
    if (given(value)) target = flag;
    return {};
}

Result<> read_number(const Value& value, const std::string& param, chat::Raw& target) {
    if (!given(value)) return {};
    if (!value.is(json::Kind::number)) return wrong(param, "a number");
    target.json = value.raw();
    return {};
}

Result<> read_count(const Value& value, const std::string& param, std::optional<std::int64_t>& target,
                    std::int64_t least) {
    if (!given(value)) return {};
    const auto count = value.integer();
    if (!count || *count < least) return wrong(param, fmt::format("a whole number of at least {}", least));
    target = count;
    return {};
}

Result<> read_texts(const Value& value, const std::string& param, std::vector<std::string>& target) {
    constexpr std::size_t kMost = 64;
    if (!given(value)) return {};
    if (const auto text = value.string()) {
        target.emplace_back(*text);
        return {};
    }
    if (!value.is(json::Kind::array) || value.size() > kMost)
        return wrong(param, fmt::format("a string or a list of at most {} strings", kMost));
    for (const Value element : value.children()) {
        const auto text = element.string();
        if (!text) return wrong(fmt::format("{}[{}]", param, target.size()), "a string");
        target.emplace_back(*text);
    }
    return {};
}

Result<> read_stops(const Value& value, const std::string& param, std::vector<std::string>& target) {
    if (auto ok = read_texts(value, param, target); !ok) return ok;
    std::erase(target, "");
    return {};
}

Result<> read_sampling(const Value& object, const std::string& prefix, chat::Sampling& s) {
    const std::pair<const char*, chat::Raw*> numbers[] = {{"temperature", &s.temperature},
                                                          {"top_p", &s.top_p},
                                                          {"top_k", &s.top_k},
                                                          {"min_p", &s.min_p},
                                                          {"seed", &s.seed},
                                                          {"presence_penalty", &s.presence_penalty},
                                                          {"frequency_penalty", &s.frequency_penalty},
                                                          {"repeat_penalty", &s.repeat_penalty}};
    for (const auto& [name, target] : numbers)
        if (auto ok = read_number(object[name], prefix + name, *target); !ok) return ok;
    return {};
}

void write_sampling(json::Writer& out, const chat::Sampling& s) {
    write_raw(out, "temperature", s.temperature);
    write_raw(out, "top_p", s.top_p);
    write_raw(out, "top_k", s.top_k);
    write_raw(out, "min_p", s.min_p);
    write_raw(out, "seed", s.seed);
    write_raw(out, "presence_penalty", s.presence_penalty);
    write_raw(out, "frequency_penalty", s.frequency_penalty);
    write_raw(out, "repeat_penalty", s.repeat_penalty);
}

bool read_choice(std::string_view text, chat::ToolChoice& choice) {
    using Choice = chat::ToolChoice::Kind;
    if (text == "none")
        choice.kind = Choice::none;
    else if (text == "auto")
        choice.kind = Choice::automatic;
    else if (text == "required")
        choice.kind = Choice::required;
    else
        return false;
    return true;
}

void write_choice(json::Writer& out, const chat::ToolChoice& choice) {
    using Choice = chat::ToolChoice::Kind;
    if (choice.kind == Choice::none) out.member("tool_choice", "none");
    if (choice.kind == Choice::automatic) out.member("tool_choice", "auto");
    if (choice.kind == Choice::required) out.member("tool_choice", "required");
    if (choice.kind == Choice::other) out.raw_member("tool_choice", choice.other.json);
}

void write_texts(json::Writer& out, std::string_view name, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    out.key(name).begin_array();
    for (const auto& text : texts) out.value(text);
    out.end_array();
}

void keep_unknown(const Value& object, std::initializer_list<std::string_view> known, chat::Extra& extra) {
    for (const Value member : object.children())
        if (!member.is_null() && std::ranges::find(known, member.key()) == known.end())
            extra.emplace_back(member.key(), chat::Raw{std::string(member.raw())});
}

void write_extra(json::Writer& out, const chat::Extra& extra) {
    for (const auto& [key, raw] : extra) out.raw_member(key, raw.json);
}

void write_raw(json::Writer& out, std::string_view name, const chat::Raw& raw) {
    if (raw.given()) out.raw_member(name, raw.json);
}

namespace {
constexpr std::size_t kLongestMediaType = 300;
}

bool is_media_type(std::string_view type) {
    return type.size() <= kLongestMediaType && type.find(',') == std::string_view::npos;
}

chat::Media media_of_url(std::string_view url) {
    constexpr std::string_view kBase64 = ";base64,";
    chat::Media media;
    const auto mark =
        url.starts_with("data:") ? url.substr(0, kLongestMediaType + 20).find(kBase64) : std::string_view::npos;
    if (mark == std::string_view::npos) {
        media.url = url;
    } else {
        media.media_type = url.substr(5, mark - 5);
        media.data = url.substr(mark + kBase64.size());
    }
    return media;
}

std::string url_of(const chat::Media& media) {
    return media.data.empty() && !media.url.empty() ? media.url
                                                    : fmt::format("data:{};base64,{}", media.media_type, media.data);
}

void append_event(std::string& out, std::string_view type, std::string_view data) {
    if (!type.empty()) out.append("event: ").append(type).append("\n");
    const auto start = out.append("data: ").size();
    out.append(data);
    // What a model or a client wrote is kept as it is, with its line breaks; here they would end the line.
    if (data.find_first_of("\r\n") != std::string_view::npos)
        for (auto at = start; at < out.size(); ++at)
            if (out[at] == '\n' || out[at] == '\r') out[at] = ' ';
    out.append("\n\n");
}

std::string on_one_line(std::string json) {
    std::ranges::replace(json, '\n', ' ');
    std::ranges::replace(json, '\r', ' ');
    return json;
}

void Splice::replace(const Value& value, std::string text) {
    if (value.raw() != text) edits_.push_back({value.offset(), edits_.size(), value.raw().size(), std::move(text)});
}

void Splice::insert(std::size_t offset, std::string text) {
    edits_.push_back({offset, edits_.size(), 0, std::move(text)});
}

std::size_t Splice::begin_of(const Value& member) const {
    // Behind the key's closing quotation mark there are only white space and a colon up to the value.
    const std::string_view source = document_.source();
    auto begin = source.rfind('"', member.offset() - 1);
    // A quotation mark within the key is escaped.
    do begin = source.rfind('"', begin - 1);
    while (begin > 0 && source[begin - 1] == '\\');
    return begin;
}

void Splice::rename(const Value& member, std::string_view key) {
    const auto begin = begin_of(member), end = document_.source().rfind('"', member.offset() - 1);
    edits_.push_back({begin, edits_.size(), end + 1 - begin, json::quoted(key)});
}

void Splice::leave_out(const Value& from, const std::function<bool(const Value&)>& unwanted) {
    const bool object = from.is(json::Kind::object);
    std::optional<std::size_t> cut, kept;  // where what goes begins, and where the last one that stays ends
    std::size_t end = 0;                   // of the last one that goes
    const auto close = [&](std::size_t to) {
        if (cut) edits_.push_back({*cut, edits_.size(), to - *cut, {}});
        cut.reset();
    };
    for (const Value one : from.children()) {
        const auto behind = one.offset() + one.raw().size();
        if (unwanted(one)) {
            if (!cut) cut = kept.value_or(object ? begin_of(one) : one.offset());
            end = behind;
            continue;
        }
        if (cut) close(kept ? end : object ? begin_of(one) : one.offset());
        kept = behind;
    }
    close(end);
}

void Splice::set(const Value& object, std::string_view key, std::string json) {
    if (const Value member = object[key]; member.exists()) {
        replace(member, std::move(json));
        return;
    }
    insert(object.offset() + object.raw().size() - 1,
           fmt::format("{}{}:{}", object.size() > 0 ? "," : "", json::quoted(key), json));
}

std::string Splice::take() {
    std::ranges::sort(edits_, {}, [](const Edit& e) { return std::pair(e.offset, e.number); });
    const std::string_view source = document_.source();
    std::string out;
    out.reserve(source.size() + 64);
    std::size_t at = 0;
    for (const auto& edit : edits_) {
        out += source.substr(at, edit.offset - at);
        out += edit.text;
        at = edit.offset + edit.length;
    }
    out += source.substr(at);
    return out;
}

std::string with_members(const Value& object, const std::vector<std::pair<std::string_view, std::string>>& members) {
    json::Writer out;
    out.begin_object();
    for (const Value member : object.children()) {
        const auto place = std::ranges::find(members, member.key(), [](const auto& m) { return m.first; });
        if (place == members.end())
            out.raw_member(member.key(), member.raw());
        else if (!place->second.empty())
            out.raw_member(member.key(), place->second);
    }
    for (const auto& [key, json] : members)
        if (!json.empty() && !object[key].exists()) out.raw_member(key, json);
    out.end_object();
    return out.take();
}

}  // namespace tandem::dialect
