#include "gateway/ask.h"

#include <cmath>

#include "base/json.h"
#include "gateway/detached.h"
#include "gateway/run.h"

namespace tandem::gateway {

namespace {

constexpr seconds kEmbedTimeout{5};
constexpr auto kKind = dialect::Kind::openai_chat;  // the words in which a question goes its way

// A question of ours on its way. The way of a request ends in bytes; here they are read back.
class Asked {
  public:
    Asked(net::Worker& worker, const char* path, std::string body, net::Cancel& cancel)
        : exchange_(worker, request_to(path, std::move(body)),
                    {[this](net::Response whole) { response_ = std::move(whole); }, [](std::string) {}}) {
        exchange_.end_with(cancel);
    }

    net::Task<> answered(Gateway& gateway, const access::Principal& who, access::RequestHeaders said,
                         translate::Operation operation, Keeping keeping) {
        keeping.aside = true;
        co_await answer_question(gateway, {exchange_, gateway.services().snapshot(), who, std::move(said), nullptr, {}},
                                 {kKind, operation}, std::move(keeping));
        readable_ = document_.parse(response_.body).has_value();
    }

    json::Value root() const { return document_.root(); }
    std::string decision() const { return std::string(response_.headers.get("x-tandem-decision")); }
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
    Asked asked(worker, "/v1/embeddings", out.take(), cancel);
    access::RequestHeaders said;
    said.timeout = kEmbedTimeout;
    Keeping keeping;
    keeping.label = text.label;
    keeping.label_reason = std::move(text.reason);
    co_await asked.answered(gateway, who, std::move(said), translate::Operation::embed, std::move(keeping));
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
    request.stream = false;
    const auto& chat = dialect::of(kKind);
    Asked asked(worker, "/v1/chat/completions", chat.encode_request(request, {request.model, false, false, 0}).body,
                cancel);
    Keeping keeping;
    keeping.label = question.label;
    keeping.label_reason = std::move(question.reason);
    keeping.judged = question.judged;
    keeping.batch = true;
    access::RequestHeaders said;
    said.workflow = std::move(question.workflow);
    co_await asked.answered(gateway, who, std::move(said), translate::Operation::chat, std::move(keeping));
    InternalAnswer answer;
    answer.decision = asked.decision();
    answer.error = asked.error();
    if (!answer.error.empty()) co_return answer;
    dialect::Events events;
    chat.reader()->whole(asked.root(), events);
    for (const auto& event : events) answer.told.take(event);
    answer.fault = chat::fault_of(answer.told, request);
    co_return answer;
}

}  // namespace tandem::gateway
