#include "gateway/aside.h"

#include "base/json.h"
#include "chat/told.h"
#include "gateway/detached.h"
#include "gateway/run.h"

namespace tandem::gateway {

net::Task<AsideAnswer> ask_aside(Gateway& gateway, net::Worker& worker, const config::Key& key, AsideQuestion question,
                                 std::shared_ptr<Live> live) {
    net::Request request;
    request.method = "POST";
    request.path = request.target = "/v1/chat/completions";
    request.headers.add("content-type", "application/json");
    request.body = std::move(question.body);
    net::Response response;
    Detached exchange(worker, std::move(request),
                      {[&](net::Response whole) { response = std::move(whole); }, [](std::string) {}});
    Keeping keeping;
    keeping.batch = true;
    keeping.aside = true;
    keeping.label = question.label;
    keeping.label_reason = std::move(question.reason);
    live->runs_with(&exchange.cancel());
    co_await answer_question(gateway, exchange, gateway.services().snapshot(), key,
                             {dialect::Kind::openai_chat, Operation::chat}, std::move(keeping));
    live->runs_with(nullptr);

    AsideAnswer answer;
    answer.decision = response.headers.get("x-tandem-decision");
    json::Document document;
    const bool read = document.parse(response.body).has_value();
    if (response.status != 200 || !read) {
        answer.error = read ? document.root()["error"]["message"].text() : "no answer";
        if (answer.error.empty()) answer.error = "no answer";
        co_return answer;
    }
    dialect::Events events;
    const auto& chat = dialect::of(dialect::Kind::openai_chat);
    chat.reader()->whole(document.root(), events);
    chat::Told told;
    for (const auto& event : events) told.take(event);
    json::Document asked;
    if (asked.parse(exchange.request().body))
        if (const auto decoded = chat.decode_request({asked, exchange.request().path}))
            answer.fault = chat::fault_of(told, *decoded);
    answer.text = std::move(told.text);
    for (const auto& call : told.calls) answer.text += "\n" + call.name + "(" + call.arguments + ")";
    co_return answer;
}

}  // namespace tandem::gateway
