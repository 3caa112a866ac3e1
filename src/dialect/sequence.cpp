#include "dialect/sequence.h"

#include <fmt/format.h>

#include <algorithm>

namespace tandem::dialect {

namespace {
constexpr std::string_view kTag = "tandem:";
}

Sequencer::Waiting& Sequencer::last(Piece::Kind kind) {
    if (queue_.empty() || queue_.back().piece.kind != kind || queue_.back().ended) {
        queue_.emplace_back();
        queue_.back().piece.kind = kind;
    }
    return queue_.back();
}

void Sequencer::take(const chat::Event& event, Sink& sink) {
    if (const auto* text = std::get_if<chat::TextDelta>(&event)) {
        if (text->choice == 0) last(Piece::Kind::text).piece.text += text->text;
    } else if (const auto* cited = std::get_if<chat::Cited>(&event)) {
        if (cited->choice != 0) return;
        auto& piece = last(Piece::Kind::text).piece;
        const auto end = piece.text.size();
        piece.citations.push_back({end - std::min(end, cited->bytes), end, cited->source});
    } else if (const auto* refusal = std::get_if<chat::RefusalDelta>(&event)) {
        if (refusal->choice == 0) last(Piece::Kind::refusal).piece.text += refusal->text;
    } else if (const auto* said = std::get_if<chat::MediaSaid>(&event)) {
        if (said->choice != 0) return;
        auto& waiting = queue_.emplace_back();
        waiting.piece.kind = Piece::Kind::media;
        waiting.piece.media = said->media;
        waiting.ended = true;
    } else if (const auto* reasoning = std::get_if<chat::ReasoningDelta>(&event)) {
        if (reasoning->choice == 0) last(Piece::Kind::reasoning).piece.text += reasoning->text;
    } else if (const auto* end = std::get_if<chat::ReasoningEnd>(&event)) {
        if (end->choice != 0) return;
        // The reasoning that is still open; one that has had its end, or none, gets a part for its signature.
        auto open = std::find_if(queue_.rbegin(), queue_.rend(),
                                 [](const Waiting& w) { return w.piece.kind == Piece::Kind::reasoning && !w.ended; });
        if (open == queue_.rend() && end->signature.empty()) return;
        auto& waiting = open == queue_.rend() ? last(Piece::Kind::reasoning) : *open;
        waiting.piece.signature = end->signature;
        waiting.piece.redacted = end->redacted;
        waiting.ended = true;
    } else if (const auto* call = std::get_if<chat::ToolCallDelta>(&event)) {
        if (call->choice != 0 || std::ranges::find(closed_calls_, call->index) != closed_calls_.end()) return;
        auto place = std::ranges::find(queue_, call->index, &Waiting::index);
        if (place == queue_.end()) {
            queue_.emplace_back();
            place = std::prev(queue_.end());
            place->piece.kind = Piece::Kind::call;
            place->index = call->index;
        }
        auto& piece = place->piece;
        if (piece.id.empty()) piece.id = call->id;
        if (piece.name.empty()) piece.name = call->name;
        piece.custom = piece.custom || call->custom;
        piece.text += call->arguments;
    } else if (const auto* end = std::get_if<chat::ToolCallEnd>(&event)) {
        if (end->choice == 0)
            if (const auto place = std::ranges::find(queue_, end->index, &Waiting::index); place != queue_.end())
                place->ended = true;
    } else {
        return;
    }
    pump(sink, false);
}

void Sequencer::finish(Sink& sink) {
    pump(sink, true);
}

void Sequencer::pump(Sink& sink, bool finishing) {
    while (!queue_.empty()) {
        auto& first = queue_.front();
        const bool call = first.piece.kind == Piece::Kind::call;
        // A call has no name yet: it cannot be said.
        if (call && first.piece.name.empty() && !finishing) return;
        if (!first.opened) sink.open(first.piece);
        first.opened = true;
        if (first.piece.text.size() > first.said) {
            sink.delta(first.piece, std::string_view(first.piece.text).substr(first.said));
            first.said = first.piece.text.size();
        }
        while (first.cited < first.piece.citations.size()) sink.cite(first.piece, first.cited++);
        // Where another part waits, text and reasoning are over; a call is when its arguments are whole.
        const bool over =
            first.ended || finishing ||
            (queue_.size() > 1 && (!call || (!first.piece.custom && chat::is_json_object(first.piece.text))));
        if (!over) return;
        sink.close(first.piece);
        if (call) closed_calls_.push_back(first.index);
        queue_.pop_front();
    }
}

void SequencedWriter::event(const chat::Event& event, std::string& out) {
    out_ = &out;
    if (const auto* started = std::get_if<chat::Started>(&event)) {
        if (!started->model.empty()) model_ = started->model;
    } else if (const auto* finished = std::get_if<chat::Finished>(&event)) {
        if (finished->choice == 0) finished_ = *finished;
    } else if (const auto* said = std::get_if<chat::MediaSaid>(&event); said == nullptr || says(said->media)) {
        sequencer_.take(event, *this);
    }
}

void SequencedWriter::finish_parts(std::string& out) {
    out_ = &out;
    sequencer_.finish(*this);
}

std::string tagged_signature(const std::string& signature, std::string_view signed_by, std::string_view own) {
    const auto dialect = signed_by.substr(0, signed_by.find('/'));
    if (signed_by.empty() || dialect == own) return signature;
    return fmt::format("{}{}:{}", kTag, signed_by, signature);
}

void read_signature(std::string_view text, std::string_view own, chat::ReasoningPart& part) {
    part.dialect = own;
    part.signature = text;
    if (!text.starts_with(kTag)) return;
    const auto colon = text.find(':', kTag.size());
    if (colon == std::string_view::npos) return;
    part.dialect = text.substr(kTag.size(), colon - kTag.size());
    part.signature = text.substr(colon + 1);
}

}  // namespace tandem::dialect
