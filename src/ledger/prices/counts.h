// Private to prices/: counts out of JSON that somebody else wrote, and the buckets that they make.
#pragma once

#include <initializer_list>

#include "ledger/prices/reading.h"

namespace tandem::prices {

// A value at a path such as "prompt_tokens_details.cached_tokens"; absent where a part of it is.
json::Value at(const json::Value& value, std::string_view path);

// Reads counts of one object, and says what is wrong with them.
class Counts {
  public:
    Counts(const json::Value& usage, Reading& reading) : usage_(usage), reading_(reading) {}
    const json::Value& usage() const { return usage_; }
    Reading& reading() { return reading_; }

    bool has(std::string_view path) const;  // it is there, and not null
    // The first of `paths` that is there, not null and a count; nullopt where none is. A string that holds a number is
    // that number; a negative one is 0, a fraction is rounded, and each of these is warned of.
    std::optional<std::int64_t> count(std::initializer_list<std::string_view> paths) const;
    // The highest of them, for one thing that gateways say under several names, some of them left at 0.
    std::int64_t most(std::initializer_list<std::string_view> paths) const;
    std::int64_t count_or_0(std::initializer_list<std::string_view> paths) const { return count(paths).value_or(0); }

  private:
    json::Value usage_;
    Reading& reading_;
};

// One value as a count, with what is warned of named `name`; nullopt where it is none.
std::optional<std::int64_t> count_of(const json::Value& value, std::string_view name, Reading& reading);
// The same in thousandths, fractions kept.
std::optional<std::int64_t> thousandths_of(const json::Value& value, std::string_view name, Reading& reading);

// Takes `part` out of `whole`. What it does not hold is not taken, and warned of: a part is never larger than its
// whole.
std::int64_t take(std::int64_t& whole, std::int64_t part, std::string_view part_name, std::string_view whole_name,
                  Reading& reading);

// A prompt's or an answer's tokens by kind. 0 where a provider does not tell it apart.
struct Kinds {
    std::int64_t text = 0, audio = 0, image = 0, video = 0;
    std::int64_t sum() const { return text + audio + image + video; }
};

// A prompt that counts its cached tokens inside, taken apart into buckets. `kinds` are of all of it, `cached_kinds` of
// its cached part; where those do not say, what was cached is text as far as there is text.
void split_prompt(Reading& reading, std::int64_t prompt, std::int64_t cached, Kinds kinds, Kinds cached_kinds);

// What the readers of the dialects share.
struct Source {
    json::Value body;
    json::Value usage;  // the object that holds the counts; may be the body itself
    Hints hints;        // provider is an id
};
void read_openai(const Source& source, Reading& reading);     // Chat Completions, embeddings, and what speaks like it
void read_responses(const Source& source, Reading& reading);  // Responses, images, transcriptions, realtime
void read_anthropic(const Source& source, Reading& reading);
void read_gemini(const Source& source, Reading& reading);
void read_bedrock(const Source& source, Reading& reading);
void read_cohere(const Source& source, Reading& reading);
void read_vercel(const Source& source, Reading& reading);        // the SDK's own words, whoever the provider is
void read_interactions(const Source& source, Reading& reading);  // Gemini's newer API
void read_ollama(const Source& source, Reading& reading);
void read_llama_cpp(const Source& source, Reading& reading);
// What the provider says that it charged, and the tier and the place that it says it served from.
void read_circumstances(const Source& source, Reading& reading);
// Tools that ran at the provider, counted in the answer itself where the usage does not say.
void read_tools(const Source& source, Reading& reading);
// Gemini: queries to Google's search, and whether Maps was asked. What of them has a fee is for the book to say.
void read_grounding(const json::Value& body, Reading& reading);
// Whether the searches of OpenAI's Responses are by its older tool, which has another fee.
bool searches_by_preview(const json::Value& response);

}  // namespace tandem::prices
