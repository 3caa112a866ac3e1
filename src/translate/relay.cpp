#include "translate/relay.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "chat/token_weights.h"
#include "dialect/failure.h"
#include "dialect/fields.h"
#include "dialect/members.h"
#include "dialect/openai_chat.h"
#include "dialect/openai_responses.h"
#include "net/sse.h"
#include "translate/cutter.h"

namespace tandem::translate {

namespace openai_chat = dialect::openai_chat;

namespace {

template <typename Visit>
void each_line(std::string_view text, Visit&& visit) {
    while (!text.empty()) {
        const auto end = std::min(text.size(), text.find('\n'));
        if (const auto line = trim(text.substr(0, end)); !line.empty()) visit(line);
        text.remove_prefix(std::min(text.size(), end + 1));
    }
}

}  // namespace

void StreamRelay::note(const chat::Event& event) {
    std::size_t bytes = 0;
    if (collects_) told_.take(event);
    if (const auto* text = std::get_if<chat::TextDelta>(&event)) bytes = text->text.size();
    if (const auto* refusal = std::get_if<chat::RefusalDelta>(&event)) bytes = refusal->text.size();
    if (const auto* reasoning = std::get_if<chat::ReasoningDelta>(&event)) bytes = reasoning->text.size();
    if (const auto* call = std::get_if<chat::ToolCallDelta>(&event))
        bytes = call->id.size() + call->name.size() + call->arguments.size();
    if (std::holds_alternative<chat::MediaSaid>(event)) bytes = 1;
    if (const auto* finished = std::get_if<chat::Finished>(&event)) {
        finish_choice(finished->choice);
        content_ = true;
    }
    if (const auto* failed = std::get_if<chat::Failed>(&event); failed != nullptr && !failed_) failed_ = failed->error;
    content_ = content_ || bytes > 0;
}

void StreamRelay::count(const chat::Event& event) {
    count(chat::thousandths_of(event), 1);
    if (const auto* said = std::get_if<chat::MediaSaid>(&event)) media_bytes_ += said->media.data.size();
    if (const auto* used = std::get_if<chat::Used>(&event)) count(used->usage);
}

void StreamRelay::count(std::int64_t thousandths, std::int64_t deltas) {
    if (thousandths == 0) return;
    thousandths_ += thousandths;
    deltas_ += deltas;
    usage_is_last_ = false;
}

void StreamRelay::count(const Usage& usage) {
    usage_ = usage_ ? most_of(*usage_, usage) : usage;
    // An end that counts nothing of what was said is no count.
    usage_is_last_ = usage.output.count > 0 || thousandths_ == 0;
}

void StreamRelay::begin_count() {
    usage_.reset();
    first_usage_.clear();
    last_usage_.clear();
    thousandths_ = deltas_ = 0;
    usage_is_last_ = spent_ = false;
    tools_ = {};
}

std::int64_t StreamRelay::certain() const {
    return std::max(deltas_, usage_ ? usage_->output.count : 0);
}

Tokens StreamRelay::said() const {
    return {std::max(certain(), seen().count)};
}

Tokens StreamRelay::seen() const {
    // Events that are no longer than a token or two are tokens; longer ones are several at once.
    constexpr std::int64_t kEnough = 16, kMostOfOne = 1'750;
    const bool one_by_one = deltas_ >= kEnough && thousandths_ <= kMostOfOne * deltas_;
    return {std::max(deltas_, one_by_one ? 0 : chat::tokens_of_thousandths(thousandths_))};
}

bool StreamRelay::beyond_limit() {
    if (limit_ == 0 || whole()) return false;
    if (certain() > limit_) return true;
    const auto tokens = said().count;
    return tokens > limit_ && (!more_ || !more_(tokens));
}

void StreamRelay::take_event(std::string_view type, std::string_view data) {
    if (done_ || failed_) return;  // nothing belongs behind the end
    pinged_ = pinged_ || type == "ping";
    if (!mender_.waits() && document_.parse(data)) {
        keep_usage(data);
        piece(type, data);
        return;
    }
    const auto visit = [this](std::string_view t, std::string_view d) { read_event(t, d); };
    if (mender_.take(type, data, visit)) return;
    end_events();
    if (is_several(data)) {
        each_line(data, [&](std::string_view line) { event(type, line); });
        return;
    }
    if (type == "error")
        fail_by(type, data);
    else
        lose_event(data);
}

void StreamRelay::read_event(std::string_view type, std::string_view data) {
    if (done_ || failed_) return;
    if (!document_.parse(data)) return lose_event(data);
    keep_usage(data);
    piece(type, data);
}

namespace {

bool has_usage(const json::Value& value) {
    return value["usage"].is(json::Kind::object) || value["usageMetadata"].is(json::Kind::object);
}

// Whether an event says what was used, in any dialect. Its members are gone through once, since most events say
// nothing.
bool says_usage(const json::Value& event) {
    for (const auto member : event.children()) {
        const auto key = member.key();
        if (key == "usage" || key == "usageMetadata") {
            if (member.is(json::Kind::object)) return true;
        } else if (key == "message" || key == "response" || key == "x_groq") {
            if (has_usage(member)) return true;
        } else if (key == "choices") {
            for (const auto choice : member.children())
                if (has_usage(choice)) return true;
        } else if (key == "eval_count") {
            return true;
        }
    }
    return false;
}

}  // namespace

void StreamRelay::keep_usage(std::string_view data) {
    if (prices::ToolCalls::may_tell(data)) tools_.take(document_.root());
    if (!says_usage(document_.root())) return;
    auto& place = first_usage_.empty() ? first_usage_ : last_usage_;
    place = data;
    std::ranges::replace(place, '\n', ' ');
}

void StreamRelay::end_events() {
    mender_.end([this](std::string_view type, std::string_view data) { read_event(type, data); });
}

bool StreamRelay::is_several(std::string_view data) {
    if (data.find('\n') == std::string_view::npos) return false;
    bool several = true;
    each_line(data, [&](std::string_view line) {
        const bool whole = line.starts_with('{') ? document_.parse(line).has_value() : line == openai_chat::kDone;
        several = several && whole;
    });
    return several;
}

void StreamRelay::lose_event(std::string_view data) {
    const auto text = trim(data);
    if (text.empty()) return;
    ++malformed_;
    // What an answer is said in, in all dialects: without any of these nothing of it can be lost.
    static constexpr std::string_view kSays[] = {"\"content\"", "\"text\"",      "\"delta\"",    "\"parts\"",
                                                 "\"message\"", "\"arguments\"", "\"response\"", "\"thinking\""};
    const bool may_be_part =
        std::ranges::any_of(kSays, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
    if (may_be_part && !whole() && !failed_)
        failed_ = Error{Fault::provider_misspoke,
                        "the provider sent an event that is no JSON, and part of the answer may be lost with it"};
}

void StreamRelay::fail_by(std::string_view type, std::string_view data) {
    if (type != "error" || failed_) return;
    const auto root = document_.root();
    failed_ = root.is(json::Kind::object) && document_.source() == data
                  ? dialect::error_in(root)
                  : Error{Fault::provider_error, "the provider sent an error: " + printable(trim(data), 300)};
}

namespace {

class ChatRelay final : public StreamRelay {
  public:
    explicit ChatRelay(ChatTerms terms) : StreamRelay(terms.choices), terms_(std::move(terms)) {}

    Result<> feed(std::string_view bytes) override {
        out_.reserve(out_.size() + bytes.size() + 64);
        const auto comments = parser_.comments();
        auto ok = parser_.feed(bytes, [this](const net::SseEvent& e) { event(e.type, e.data); });
        pinged_ = pinged_ || parser_.comments() > comments;
        return ok;
    }
    void end() override {
        parser_.finish([this](const net::SseEvent& e) { event(e.type, e.data); });
        end_events();
    }
    std::string finish(const Usage& usage) override {
        say_end();
        if (choices_ == 1) end_choices(calls_ ? "tool_calls" : "stop");  // its provider forgot that
        auto rest = take();
        if (terms_.wants_usage && !usage_sent_)
            rest += net::sse_event(openai_chat::usage_chunk(usage, id_, model_, created_));
        return rest + net::sse_event(openai_chat::kDone);
    }
    std::string fail(const Error& error) override {
        say_end();
        return take() + net::sse_event(openai_chat::encode_error(error).body);
    }

  private:
    void event(std::string_view type, std::string_view data) override {
        if (data != openai_chat::kDone) {
            take_event(type, data);
            return;
        }
        end_events();
        // What was no answer may have been the error behind which there is no end.
        if (malformed_ > 0 && !whole() && !failed_)
            failed_ =
                Error{Fault::provider_misspoke, "the provider sent events that are no JSON, and no end of the answer"};
        done_ = done_ || !failed_;
    }

    void piece(std::string_view type, std::string_view data) override {
        const auto root = document_.root();
        if (!root.is(json::Kind::object)) {  // "null", which says nothing and breaks clients
            ++malformed_;
            return;
        }
        auto facts = openai_chat::chunk_facts(root, collects_ ? &told_ : nullptr);
        count(facts.thousandths, facts.deltas);
        if (facts.error) failed_ = std::move(facts.error);
        fail_by(type, data);
        if (failed_) return;
        calls_ = calls_ || facts.calls;
        if (!end_.empty() && (facts.text_bytes > 0 || facts.calls)) take_back_end();
        say_end();
        if (facts.usage) count(*facts.usage);
        if (facts.finished > 0) note_finished(root);
        content_ = content_ || facts.text_bytes > 0 || facts.finished > 0;
        if (id_.empty()) {
            id_ = root["id"].text();
            model_ = root["model"].text();
            created_ = root["created"].integer().value_or(0);
        }
        if (facts.lacking) fill_in_ours();
        if (facts.finished == 0 && beyond_limit()) return cut_short();
        if (facts.usage && facts.only_usage && !terms_.wants_usage) return;  // we asked for it, the client did not
        if (facts.usage) usage_sent_ = true;
        std::string known;
        auto instead = [&](std::optional<std::string> changed) {
            if (!changed) return;
            known = std::move(*changed);
            data = known;
            (void)document_.parse(data);
        };
        if (facts.calls) instead(call_pieces_.put_right(document_));
        if (facts.lacking) instead(openai_chat::with_all_members(document_, ours(), true));
        if (facts.finished > 0)
            instead(dialect::with_known_endings(dialect::Kind::openai_chat, document_, calls_,
                                                choices_ == 1 && !terms_.calls_may_stop));
        std::string plain;
        if (terms_.drops_logprobs) data = plain = openai_chat::without_logprobs(document_);
        // Not every client reads an event of several lines.
        std::string line;
        if (data.find('\n') != std::string_view::npos) data = line = dialect::on_one_line(std::string(data));
        if (facts.finished > 0 && choices_ == 1)
            end_ = data;
        else
            net::append_sse_event(out_, data);
    }

    // What the provider does not say.
    void fill_in_ours() {
        if (!terms_.frame || (!id_.empty() && !model_.empty() && created_ != 0)) return;
        const auto frame = terms_.frame();
        if (id_.empty()) id_ = "chatcmpl-" + frame.id;
        if (model_.empty()) model_ = frame.model;
        if (created_ == 0) created_ = frame.created;
    }
    openai_chat::Ours ours() const { return {id_, model_, created_}; }

    // Some servers say "stop" behind each piece: an end is one where nothing of the answer follows.
    void say_end() {
        if (end_.empty()) return;
        if (const auto rest = call_pieces_.rest(0); !rest.empty())
            net::append_sse_event(out_, openai_chat::calls_chunk(0, rest, id_, model_, created_));
        net::append_sse_event(out_, std::exchange(end_, {}));
    }
    void take_back_end() {
        json::Document chunk;
        if (chunk.parse(end_)) end_ = openai_chat::without_end(chunk);
        take_back_ends();
    }

    void note_finished(const json::Value& chunk) {
        for (const json::Value choice : chunk["choices"].children())
            if (!choice["finish_reason"].text().empty()) finish_choice(dialect::choice_of(choice["index"]));
    }

    void end_choices(std::string_view word) {
        for (std::int64_t choice = 0; choice < choices_; ++choice) {
            if (is_finished(choice)) continue;
            finish_choice(choice);
            net::append_sse_event(out_, openai_chat::end_chunk(choice, word, id_, model_, created_));
        }
    }

    void cut_short() {
        end_choices("length");
        if (collects_) told_.finish = chat::Finish::length;
        spent_ = done_ = content_ = true;
    }

    const ChatTerms terms_;
    net::SseParser parser_;
    std::string id_, model_;
    std::int64_t created_ = 0;
    bool usage_sent_ = false;
    bool calls_ = false;
    std::string end_;  // the chunk that ends the answer, where nothing follows
    openai_chat::CallPieces call_pieces_;
};

class SameRelay final : public StreamRelay {
  public:
    SameRelay(const dialect::Dialect& dialect, dialect::AnswerFrame frame)
        : StreamRelay(frame.request->choices),
          dialect_(dialect),
          cutter_(dialect.framing()),
          frame_(frame),
          reader_(dialect.reader()),
          writer_(dialect.writer(std::move(frame))) {}

    Result<> feed(std::string_view bytes) override {
        const auto comments = cutter_.comments();
        auto ok = cutter_.feed(bytes, [this](std::string_view type, std::string_view data) { event(type, data); });
        pinged_ = cutter_.comments() > comments;  // events that are pings are handed on as they are
        return ok;
    }
    void end() override {
        cutter_.finish([this](std::string_view type, std::string_view data) { event(type, data); });
        end_events();
    }
    std::string finish(const Usage&) override {
        auto rest = take() + std::exchange(held_, {});
        if (!done_) rest += dialect_.stream_end();
        return rest;
    }
    std::string fail(const Error& error) override {
        auto rest = take();
        writer_->fail(error, rest);
        return rest;
    }
    std::string response() const override { return response_; }

  private:
    void event(std::string_view type, std::string_view data) override {
        if (done_ || failed_) return;
        if (!reader_->mark(data)) take_event(type, data);
    }

    void piece(std::string_view type, std::string_view data) override {
        const auto root = document_.root();
        dialect::Events events;
        reader_->piece(root, events);
        dialect_.know_names(*frame_.request, events);
        for (const auto& one : events) {
            count(one);
            note(one);
            calls_ = calls_ || std::holds_alternative<chat::ToolCallDelta>(one);
        }
        fail_by(type, data);
        done_ = reader_->done();
        if (!failed_ && beyond_limit())
            failed_ = Error{Fault::answer_over_budget,
                            "the answer went on beyond the tokens that the key's budget has reserved for it; ask for "
                            "more of them, or raise the budget"};
        if (failed_) return;
        const std::string named(type.empty() || type == "message" ? dialect::event_name(dialect_.kind(), root)
                                                                  : std::string_view());
        if (!named.empty()) type = named;
        std::string ours;
        if (dialect::event_lacks_members(dialect_.kind(), root)) {
            ours = dialect::with_all_members(dialect_.kind(), document_,
                                             {{frame_.prompt_tokens}, {0}, said(), {0}, true}, calls_, frame_);
            data = ours;
            (void)document_.parse(data);
        }
        if (ends(events))
            if (auto known = dialect::with_known_endings(dialect_.kind(), document_, calls_, choices_ == 1)) {
                ours = std::move(*known);
                data = ours;
            }
        if (!frame_.own.empty() && root["response"].is(json::Kind::object)) {
            auto response = dialect::openai_responses::as_ours(root["response"], frame_);
            ours = dialect::with_members(root, {{"response", response}});
            data = ours;
            response_ = std::move(response);
        }
        // From the end of the answer on, bytes wait for the receipt.
        auto& target = whole() ? held_ : out_;
        if (dialect_.framing() == dialect::Framing::ndjson) {
            target.append(dialect::on_one_line(std::string(data))).append("\n");
            return;
        }
        if (!type.empty() && type != "message") target.append("event: ").append(type).append("\n");
        net::append_sse_event(target, data);
    }

    static bool ends(const dialect::Events& events) {
        return std::ranges::any_of(events, [](const auto& e) { return std::holds_alternative<chat::Finished>(e); });
    }

    const dialect::Dialect& dialect_;
    bool calls_ = false;
    Cutter cutter_;
    const dialect::AnswerFrame frame_;
    std::unique_ptr<dialect::AnswerReader> reader_;
    std::unique_ptr<dialect::AnswerWriter> writer_;
    std::string held_;
    std::string response_;
};

}  // namespace

std::unique_ptr<StreamRelay> chat_relay(ChatTerms terms) {
    return std::make_unique<ChatRelay>(std::move(terms));
}

std::unique_ptr<StreamRelay> same_relay(const dialect::Dialect& dialect, dialect::AnswerFrame frame) {
    return std::make_unique<SameRelay>(dialect, std::move(frame));
}

}  // namespace tandem::translate
