#include "schema/equal.h"

#include <algorithm>
#include <vector>

#include "schema/number.h"

namespace tandem::schema {

namespace {

void write(const json::Value& value, std::string& out) {
    if (value.is(json::Kind::object)) {
        std::vector<json::Value> members;
        for (const auto member : value.children()) members.push_back(member);
        std::ranges::sort(members, {}, [](const json::Value& member) { return member.key(); });
        out += '{';
        for (const auto& member : members) {
            json::append_string(out, member.key());
            out += ':';
            write(member, out);
            out += ',';
        }
        out += '}';
    } else if (value.is(json::Kind::array)) {
        out += '[';
        for (const auto element : value.children()) {
            write(element, out);
            out += ',';
        }
        out += ']';
    } else if (value.is(json::Kind::string)) {
        json::append_string(out, value.text());
    } else if (value.is(json::Kind::number)) {
        const auto number = decimal(value.text());
        out += number ? number->text() : std::string(value.text());
    } else {
        out += value.raw();
    }
}

}  // namespace

std::string canonical(const json::Value& value) {
    std::string out;
    write(value, out);
    return out;
}

}  // namespace tandem::schema
