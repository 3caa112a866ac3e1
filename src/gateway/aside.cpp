#include "gateway/aside.h"

#include <cmath>

#include "base/json.h"
#include "chat/told.h"
#include "gateway/detached.h"
#include "gateway/run.h"

namespace tandem::gateway {

namespace {

constexpr seconds kEmbedTimeout{5};

net::Request request_to(const char* path, std::string body) {
    net::Request request;
    request.method = "POST";
    request.path = request.target = path;
    request.headers.add("content-type", "application/json");
    request.body = std::move(body);
    return request;
}

Keeping keeping_of(AsideQuestion& question) {
    Keeping keeping;
    keeping.aside = true;
    keeping.label = question.label;
    keeping.judged = question.judged;
    keeping.label_reason = std::move(question.reason);
    return keeping;
}

std::string error_in(const net::Response& response, const json::Document* document) {
    const std::string said(document == nullptr ? "" : document->root()["error"]["message"].text());
    return said.empty() ? "no answer (status " + std::to_string(response.status) + ")" : said;
}

}  // namespace

net::Task<Result<std::vector<float>>> embed_aside(Gateway& gateway, net::Worker& worker, const access::Principal& who,
                                                  const std::string& model, AsideQuestion text, net::Cancel& cancel) {
    json::Writer out;
    out.begin_object().member("model", model).member("input", text.body).end_object();
    net::Response response;
    auto request = request_to("/v1/embeddings", out.take());
    Detached exchange(worker, std::move(request),
                      {[&](net::Response whole) { response = std::move(whole); }, [](std::string) {}});
    net::Cancel::Hook hook;
    cancel.on_fire(hook, [&] { exchange.cancel().fire(cancel.reason()); });
    Call call{exchange, gateway.services().snapshot(), who, {}, nullptr, {}};
    call.said.timeout = kEmbedTimeout;
    co_await answer_question(gateway, std::move(call), {dialect::Kind::openai_chat, translate::Operation::embed},
                             keeping_of(text));
    json::Document document;
    const bool read = document.parse(response.body).has_value();
    if (response.status != 200 || !read)
        co_return fail(ErrorCode::upstream, error_in(response, read ? &document : nullptr));
    std::vector<float> vector;
    double square = 0;
    for (const json::Value one : document.root()["data"].children()) {
        for (const json::Value number : one["embedding"].children()) {
            const double value = number.number().value_or(0);
            square += value * value;
            vector.push_back(static_cast<float>(value));
        }
        break;
    }
    if (!(square > 0) || !std::isfinite(square)) co_return fail(ErrorCode::upstream, "the embedding has no direction");
    for (auto& value : vector) value = static_cast<float>(value / std::sqrt(square));
    co_return vector;
}

net::Task<AsideAnswer> ask_aside(Gateway& gateway, net::Worker& worker, const access::Principal& who,
                                 AsideQuestion question, std::shared_ptr<Live> live) {
    net::Response response;
    const auto body = question.body;  // the way keeps what it is given
    Detached exchange(worker, request_to("/v1/chat/completions", std::move(question.body)),
                      {[&](net::Response whole) { response = std::move(whole); }, [](std::string) {}});
    auto keeping = keeping_of(question);
    keeping.batch = true;
    live->runs_with(&exchange.cancel());
    co_await answer_question(gateway, {exchange, gateway.services().snapshot(), who, {}, nullptr, {}},
                             {dialect::Kind::openai_chat, translate::Operation::chat}, std::move(keeping));
    live->runs_with(nullptr);

    AsideAnswer answer;
    answer.decision = response.headers.get("x-tandem-decision");
    json::Document document;
    const bool read = document.parse(response.body).has_value();
    if (response.status != 200 || !read) {
        answer.error = error_in(response, read ? &document : nullptr);
        co_return answer;
    }
    dialect::Events events;
    const auto& chat = dialect::of(dialect::Kind::openai_chat);
    chat.reader()->whole(document.root(), events);
    chat::Told told;
    for (const auto& event : events) told.take(event);
    json::Document asked;
    if (asked.parse(body))
        if (const auto decoded = chat.decode_request({asked, exchange.request().path}))
            answer.fault = chat::fault_of(told, *decoded);
    answer.text = told.text;
    answer.told = std::move(told);
    for (const auto& call : answer.told.calls) answer.text += "\n" + call.name + "(" + call.arguments + ")";
    co_return answer;
}

}  // namespace tandem::gateway
