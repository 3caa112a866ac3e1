#include "retrieval/extract/wire.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "retrieval/extract/charset.h"

namespace tandem::retrieval {

namespace {

template <typename Number>
void put(std::string& out, Number number) {
    out.append(reinterpret_cast<const char*>(&number), sizeof number);
}
void put_text(std::string& out, std::string_view text) {
    put(out, static_cast<std::uint64_t>(text.size()));
    out += text;
}

// Reads what is there; what is not makes it bad.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : left_(bytes) {}
    template <typename Number>
    Number number() {
        Number value{};
        if (left_.size() < sizeof value) {
            bad_ = true;
            left_ = {};
            return value;
        }
        std::memcpy(&value, left_.data(), sizeof value);
        left_.remove_prefix(sizeof value);
        return value;
    }
    std::string_view text() {
        const auto size = number<std::uint64_t>();
        if (size > left_.size()) {
            bad_ = true;
            return {};
        }
        const auto text = left_.substr(0, size);
        left_.remove_prefix(size);
        return text;
    }
    bool good_end() const { return !bad_ && left_.empty(); }
    bool bad() const { return bad_; }

  private:
    std::string_view left_;
    bool bad_ = false;
};

bool is_in_order(const Block& block) {
    return block.begin <= block.end && block.first_line <= block.last_line;
}

Error broken() {
    return {ErrorCode::invalid, "the process that reads files said something that is no answer"};
}

// False when the deadline has passed.
bool wait_for(int socket, short what, SteadyTime deadline) {
    while (true) {
        const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) return false;
        pollfd entry{socket, what, 0};
        constexpr std::int64_t kMost = 1'000'000;
        const int ready = poll(&entry, 1, static_cast<int>(std::min(left.count(), kMost)));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return true;  // the next call says what is wrong
    }
}

Error gone() {
    return {ErrorCode::unavailable, "the process that reads files has ended"};
}

// Moves `size` bytes by `move(done)`.
template <typename Move>
Result<> move_all(int socket, short what, std::size_t size, SteadyTime deadline, Move&& move) {
    for (std::size_t done = 0; done < size;) {
        if (!wait_for(socket, what, deadline)) return fail(ErrorCode::timeout, "reading it took too long");
        const auto moved = move(done);
        if (moved > 0)
            done += static_cast<std::size_t>(moved);
        else if (moved == 0 || (errno != EAGAIN && errno != EINTR))
            return fail(gone());
    }
    return {};
}

}  // namespace

std::string encode(const Question& question) {
    std::string out;
    put_text(out, question.format);
    put_text(out, question.name);
    put(out, static_cast<std::uint64_t>(question.most_text));
    put_text(out, question.bytes);
    return out;
}

Result<Question> decode_question(std::string_view frame) {
    Reader reader(frame);
    Question question;
    question.format = reader.text();
    question.name = reader.text();
    question.most_text = reader.number<std::uint64_t>();
    question.bytes = reader.text();
    if (!reader.good_end()) return fail(broken());
    return question;
}

std::string encode(const Answer& answer) {
    std::string out;
    put_text(out, answer.why);
    put_text(out, answer.extracted.title);
    put(out, static_cast<std::uint64_t>(answer.extracted.blocks.size()));
    for (const auto& block : answer.extracted.blocks) {
        put(out, static_cast<std::uint8_t>(block.kind));
        put(out, block.level);
        put(out, static_cast<std::uint8_t>(block.verbatim ? 1 : 0));
        put(out, block.first_line);
        put(out, block.last_line);
        put(out, block.page);
        put(out, block.begin);
        put(out, block.end);
        put_text(out, block.text);
    }
    return out;
}

Result<Answer> decode_answer(std::string_view frame) {
    Reader reader(frame);
    Answer answer;
    answer.why = reader.text();
    answer.extracted.title = reader.text();
    const auto count = reader.number<std::uint64_t>();
    if (reader.bad() || count > kMostBlocks || !is_utf8(answer.why) || !is_utf8(answer.extracted.title))
        return fail(broken());
    for (std::uint64_t i = 0; i < count && !reader.bad(); ++i) {
        Block block;
        const auto kind = reader.number<std::uint8_t>();
        block.kind = static_cast<BlockKind>(std::min(kind, kLastBlockKind));
        block.level = reader.number<std::uint8_t>();
        block.verbatim = reader.number<std::uint8_t>() != 0;
        block.first_line = reader.number<std::uint32_t>();
        block.last_line = reader.number<std::uint32_t>();
        block.page = reader.number<std::uint32_t>();
        block.begin = reader.number<std::uint64_t>();
        block.end = reader.number<std::uint64_t>();
        block.text = reader.text();
        if (!is_in_order(block) || !is_utf8(block.text)) return fail(broken());
        answer.extracted.text_bytes += block.text.size();
        answer.extracted.blocks.push_back(std::move(block));
    }
    if (!reader.good_end()) return fail(broken());
    return answer;
}

Result<> send_frame(int socket, std::string_view bytes, SteadyTime deadline) {
    std::string head;
    put(head, static_cast<std::uint64_t>(bytes.size()));
    for (const auto part : {std::string_view(head), bytes}) {
        auto ok = move_all(socket, POLLOUT, part.size(), deadline, [&](std::size_t done) {
            return send(socket, part.data() + done, part.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
        });
        if (!ok) return ok;
    }
    return {};
}

Result<std::string> receive_frame(int socket, std::size_t most, SteadyTime deadline) {
    std::uint64_t size = 0;
    const auto take = [&](char* to, std::size_t count) {
        return move_all(socket, POLLIN, count, deadline,
                        [&](std::size_t done) { return recv(socket, to + done, count - done, MSG_DONTWAIT); });
    };
    if (auto ok = take(reinterpret_cast<char*>(&size), sizeof size); !ok) return fail(ok.error());
    if (size > most) return fail(ErrorCode::too_large, "more text came of the file than is read");
    // Room is made as bytes come: a length that is a lie costs nothing.
    std::string frame;
    constexpr std::size_t kPiece = 1UL << 20;
    while (frame.size() < size) {
        const auto at = frame.size(), piece = std::min<std::size_t>(kPiece, size - at);
        frame.resize(at + piece);
        if (auto ok = take(frame.data() + at, piece); !ok) return fail(ok.error());
    }
    return frame;
}

}  // namespace tandem::retrieval
