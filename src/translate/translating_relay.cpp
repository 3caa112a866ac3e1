// The relays that say a stream anew, event by event, and the one that only reads it.
#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "translate/cutter.h"
#include "translate/relay.h"

namespace tandem::translate {

namespace {

class PlainGatherer final : public Gatherer {
  public:
    PlainGatherer(const dialect::Dialect& provider, std::int64_t choices)
        : Gatherer(choices), cutter_(provider.framing()), reader_(provider.reader()) {}

    Result<> feed(std::string_view bytes) override {
        return cutter_.feed(bytes, [this](std::string_view type, std::string_view data) { event(type, data); });
    }
    void end() override {
        cutter_.finish([this](std::string_view type, std::string_view data) { event(type, data); });
        end_events();
        dialect::Events last;
        reader_->end(last);
        add(std::move(last));
    }
    std::string finish(const Usage&) override { return {}; }
    std::string fail(const Error&) override { return {}; }

  private:
    void event(std::string_view type, std::string_view data) override {
        if (reader_->mark(data))
            end_events();
        else
            take_event(type, data);
    }
    void piece(std::string_view type, std::string_view data) override {
        dialect::Events events;
        reader_->piece(document_.root(), events);
        add(std::move(events));
        fail_by(type, data);
        done_ = reader_->done();
    }
    void add(dialect::Events events) {
        for (auto& event : events) {
            count(event);
            note(event);
            events_.push_back(std::move(event));
        }
    }

    Cutter cutter_;
    std::unique_ptr<dialect::AnswerReader> reader_;
};

class TranslatingRelay final : public StreamRelay {
  public:
    TranslatingRelay(const dialect::Dialect& provider, std::unique_ptr<dialect::AnswerWriter> writer,
                     std::int64_t choices, std::vector<std::unique_ptr<chat::EventFilter>> filters, bool drops_logprobs)
        : StreamRelay(choices),
          drops_logprobs_(drops_logprobs),
          cutter_(std::in_place, provider.framing()),
          reader_(provider.reader()),
          writer_(std::move(writer)),
          filters_(std::move(filters)) {}

    Result<> feed(std::string_view bytes) override {
        const auto comments = cutter_->comments();
        auto ok = cutter_->feed(bytes, [this](std::string_view type, std::string_view data) { event(type, data); });
        pinged_ = pinged_ || cutter_->comments() > comments;
        return ok;
    }
    void end() override {
        cutter_->finish([this](std::string_view type, std::string_view data) { event(type, data); });
        end_events();
        finish_reader();
    }
    std::string finish(const Usage& usage) override {
        finish_reader();
        auto rest = take();
        writer_->end(usage, rest);
        return rest;
    }
    std::string fail(const Error& error) override {
        auto rest = take();
        writer_->fail(error, rest);
        return rest;
    }
    std::string response() const override { return writer_->response(); }
    void go_on(const dialect::Dialect& provider, std::vector<std::unique_ptr<chat::EventFilter>> filters) override {
        cutter_.emplace(provider.framing());
        reader_ = provider.reader();
        filters_ = std::move(filters);
        goes_on_ = true;
        ended_ = done_ = content_ = false;
        failed_.reset();
        begin_count();
        restart_choices();
    }

  private:
    void event(std::string_view type, std::string_view data) override {
        if (done_ || failed_) return;
        if (!reader_->mark(data)) {
            take_event(type, data);
            return;
        }
        end_events();
        done_ = reader_->done();
        if (done_) finish_reader();
    }

    void piece(std::string_view type, std::string_view data) override {
        dialect::Events events;
        reader_->piece(document_.root(), events);
        bool ends = false;
        for (const auto& event : events) {
            count(event);
            ends = ends || std::holds_alternative<chat::Finished>(event) || std::holds_alternative<chat::Failed>(event);
        }
        if (!ends && beyond_limit()) return cut_short();
        done_ = reader_->done();
        pass(std::move(events));
        fail_by(type, data);
        if (done_) finish_reader();
    }

    void cut_short() {
        dialect::Events events;
        for (std::int64_t choice = 0; choice < choices_; ++choice)
            if (!is_finished(choice)) events.emplace_back(chat::Finished{choice, chat::Finish::length, {}});
        pass(std::move(events));
        ended_ = true;  // what the reader holds back is not said
        end_filters();
        spent_ = done_ = true;
    }

    void finish_reader() {
        if (std::exchange(ended_, true)) return;
        dialect::Events events;
        reader_->end(events);
        for (const auto& event : events) count(event);
        pass(std::move(events));
        end_filters();
    }

    void end_filters() {
        for (std::size_t i = 0; i < filters_.size(); ++i) {
            dialect::Events out;
            filters_[i]->end(out);
            pass(std::move(out), i + 1);
        }
    }

    void pass(dialect::Events events, std::size_t first_filter = 0) {
        for (std::size_t i = first_filter; i < filters_.size(); ++i) {
            dialect::Events out;
            for (auto& event : events) filters_[i]->take(std::move(event), out);
            events = std::move(out);
        }
        for (const auto& event : events) {
            if (goes_on_ && std::holds_alternative<chat::Started>(event)) continue;  // it has begun
            note(event);
            if (failed_) return;
            if (drops_logprobs_ && std::holds_alternative<chat::Logprobs>(event)) continue;
            if (const auto* said = std::get_if<chat::MediaSaid>(&event); said != nullptr && !writer_->says(said->media))
                unsaid_.add(said->media);
            writer_->event(event, out_);
        }
    }

    const bool drops_logprobs_;
    std::optional<Cutter> cutter_;
    std::unique_ptr<dialect::AnswerReader> reader_;
    std::unique_ptr<dialect::AnswerWriter> writer_;
    std::vector<std::unique_ptr<chat::EventFilter>> filters_;
    bool ended_ = false;
    bool goes_on_ = false;
};

}  // namespace

std::unique_ptr<Gatherer> gather(const dialect::Dialect& provider, std::int64_t choices) {
    return std::make_unique<PlainGatherer>(provider, choices);
}

std::unique_ptr<StreamRelay> translating_relay(const dialect::Dialect& provider,
                                               std::unique_ptr<dialect::AnswerWriter> writer, std::int64_t choices,
                                               std::vector<std::unique_ptr<chat::EventFilter>> filters,
                                               bool drops_logprobs) {
    return std::make_unique<TranslatingRelay>(provider, std::move(writer), choices, std::move(filters), drops_logprobs);
}

}  // namespace tandem::translate
