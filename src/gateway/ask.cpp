#include "gateway/ask.h"

#include <cmath>

#include "base/json.h"
#include "gateway/detached.h"
#include "gateway/run.h"
#include "net/sse.h"

namespace tandem::gateway {

namespace {

constexpr seconds kEmbedTimeout{5};
constexpr auto kKind = dialect::Kind::openai_chat;  // the words in which a question goes its way

// What a stream says, read as it comes, and when.
class StreamRead {
  public:
    explicit StreamRead(const Clock& clock) : clock_(clock), began_(clock.steady()) {}

    // Whether something of the answer has come by now.
    bool take(std::string_view bytes) {
        const auto visit = [this](const net::SseEvent& event) { this->event(event.data); };
        if (readable_ && !parser_.feed(bytes, visit)) readable_ = false;
        return first_.count() >= 0;
    }
    void put_into(InternalAnswer& answer) {
        answer.told = std::move(told_);
        answer.usage = usage_;
        answer.first = first_;
        if (!failed_.empty()) answer.error = failed_;
    }
    milliseconds since_begin() const { return std::chrono::duration_cast<milliseconds>(clock_.steady() - began_); }

  private:
    void event(std::string_view data) {
        if (!document_.parse(data)) return;  // the mark of the end
        events_.clear();
        reader_->piece(document_.root(), events_);
        for (const auto& one : events_) {
            told_.take(one);
            if (const auto* used = std::get_if<chat::Used>(&one)) usage_ = used->usage;
            if (const auto* failed = std::get_if<chat::Failed>(&one)) failed_ = failed->error.message;
            const auto* text = std::get_if<chat::TextDelta>(&one);
            const bool says = (text != nullptr && !text->text.empty()) ||
                              std::holds_alternative<chat::ReasoningDelta>(one) ||
                              std::holds_alternative<chat::ToolCallDelta>(one);
            if (says && first_.count() < 0) first_ = since_begin();
        }
    }

    const Clock& clock_;
    SteadyTime began_;
    net::SseParser parser_;
    std::unique_ptr<dialect::AnswerReader> reader_ = dialect::of(kKind).reader();
    json::Document document_;
    dialect::Events events_;
    chat::Told told_;
    Usage usage_{.input = {}, .cached_input = {}, .output = {}, .reasoning = {}, .estimated = true};
    std::string failed_;
    milliseconds first_{-1};
    bool readable_ = true;
};

// A question of ours on its way. The way of a request ends in bytes; here they are read back.
class Asked {
  public:
    Asked(net::Worker& worker, const Clock& clock, const char* path, std::string body, net::Cancel& cancel,
          bool leaves = false)
        : stream_(clock),
          exchange_(worker, request_to(path, std::move(body)),
                    {[this](net::Response whole) { response_ = std::move(whole); },
                     [this, leaves](std::string bytes) {
                         if (stream_.take(bytes) && leaves) exchange_.cancel().fire(net::Cancel::Reason::cancelled);
                     }}) {
        exchange_.end_with(cancel);
    }

    net::Task<> answered(Gateway& gateway, std::shared_ptr<const Snapshot> snapshot, const access::Principal& who,
                         access::RequestHeaders said, translate::Operation operation, Keeping keeping) {
        keeping.aside = true;
        if (snapshot == nullptr) snapshot = gateway.services().snapshot();
        co_await answer_question(gateway, {exchange_, std::move(snapshot), who, std::move(said), nullptr, {}},
                                 {kKind, operation}, std::move(keeping));
        readable_ = document_.parse(response_.body).has_value();
    }

    json::Value root() const { return document_.root(); }
    // A header of the answer, in whichever way it came.
    std::string header(std::string_view name) const {
        return std::string((exchange_.started() ? exchange_.headers() : response_.headers).get(name));
    }
    std::string decision() const { return header("x-tandem-decision"); }
    bool streamed() const { return exchange_.started(); }
    StreamRead& stream() { return stream_; }
    // Why there is no answer; empty where there is one.
    std::string error() const {
        if (response_.status == 200 && readable_) return {};
        const std::string said(readable_ ? root()["error"]["message"].text() : "");
        return said.empty() ? "no answer (status " + std::to_string(response_.status) + ")" : said;
    }

  private:
    static net::Request request_to(const char* path, std::string body) {
        net::Request request;
        request.method = "POST";
        request.path = request.target = path;
        request.headers.add("content-type", "application/json");
        request.body = std::move(body);
        return request;
    }

    StreamRead stream_;
    net::Response response_;
    Detached exchange_;
    json::Document document_;
    bool readable_ = false;
};

}  // namespace

std::string InternalAnswer::text() const {
    return told.whole();
}

net::Task<Result<std::vector<float>>> embed(Gateway& gateway, net::Worker& worker, const access::Principal& who,
                                            const std::string& model, InternalText text, net::Cancel& cancel) {
    json::Writer out;
    out.begin_object().member("model", model).member("input", text.text).end_object();
    Asked asked(worker, gateway.services().clock, "/v1/embeddings", out.take(), cancel);
    access::RequestHeaders said;
    said.timeout = kEmbedTimeout;
    Keeping keeping;
    keeping.label = text.label;
    keeping.label_reason = std::move(text.reason);
    co_await asked.answered(gateway, nullptr, who, std::move(said), translate::Operation::embed, std::move(keeping));
    if (auto error = asked.error(); !error.empty()) co_return fail(Fault::upstream, std::move(error));
    std::vector<float> vector;
    double square = 0;
    for (const json::Value one : asked.root()["data"].children()) {
        for (const json::Value number : one["embedding"].children()) {
            const double value = number.number().value_or(0);
            square += value * value;
            vector.push_back(static_cast<float>(value));
        }
        break;
    }
    if (!(square > 0) || !std::isfinite(square))
        co_return fail(Fault::provider_misspoke,
                       "the embedding that " + model + " gave has length 0, so it says nothing of the text");
    for (auto& value : vector) value = static_cast<float>(value / std::sqrt(square));
    co_return vector;
}

net::Task<InternalAnswer> ask(Gateway& gateway, net::Worker& worker, const access::Principal& who,
                              InternalQuestion question, net::Cancel& cancel) {
    auto& request = question.request;
    request.stream = question.streamed;
    request.include_usage = question.streamed;
    const auto& chat = dialect::of(kKind);
    Asked asked(worker, gateway.services().clock, "/v1/chat/completions",
                chat.encode_request(request, {request.model, question.streamed, question.streamed, 0}).body, cancel,
                question.leaves);
    Keeping keeping;
    keeping.label = question.label;
    keeping.label_reason = std::move(question.reason);
    keeping.judged = question.judged;
    keeping.batch = true;
    access::RequestHeaders said;
    said.workflow = std::move(question.workflow);
    said.fresh = question.fresh;
    co_await asked.answered(gateway, std::move(question.snapshot), who, std::move(said), translate::Operation::chat,
                            std::move(keeping));
    InternalAnswer answer;
    answer.decision = asked.decision();
    answer.code = asked.header("x-tandem-error");
    answer.warnings = asked.header("x-tandem-warnings");
    answer.last = asked.stream().since_begin();
    if (asked.streamed()) {
        asked.stream().put_into(answer);
        answer.fault = chat::fault_of(answer.told, request);
        co_return answer;
    }
    answer.error = asked.error();
    if (!answer.error.empty()) co_return answer;
    dialect::Events events;
    chat.reader()->whole(asked.root(), events);
    answer.usage.estimated = true;
    for (const auto& event : events) {
        answer.told.take(event);
        if (const auto* used = std::get_if<chat::Used>(&event)) answer.usage = used->usage;
    }
    answer.choices = asked.root()["choices"].size();
    answer.fault = chat::fault_of(answer.told, request);
    co_return answer;
}

std::shared_ptr<const Snapshot> snapshot_with(Services& services, const Unmeasured& unmeasured) {
    auto next = std::make_shared<Snapshot>(*services.snapshot());
    const auto* model = next->config->model(unmeasured.model);
    for (auto& entry : next->table.models) {
        if (entry.model != unmeasured.model || model == nullptr) continue;
        entry.context_tokens = unmeasured.unbounded ? 0 : model->context_tokens;
        entry.capabilities = model->capabilities;
        entry.renders_tools = unmeasured.renders_tools;
        entry.context_by.clear();
        entry.tools_by.clear();
    }
    next->name_table();
    services.record_table(next);
    return next;
}

}  // namespace tandem::gateway
