// Every way out, under every fault: a cloud that records each byte it gets, and knows a thousand values that must not
// leave, gets none of them, however they are written; and whoever is refused is told why.
//
// TANDEM_MATRIX says how many requests; the tests take a few thousand, docs/measurements.md has 100,000.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <unordered_map>

#include "app.h"
#include "base/json.h"
#include "tests/support.h"

namespace tandem {
namespace {

// ---- the values ----

std::string luhn(std::string digits) {
    int sum = 0;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        int d = digits[digits.size() - 1 - i] - '0';
        if (i % 2 == 0) d = d > 4 ? 2 * d - 9 : 2 * d;
        sum += d;
    }
    return digits + static_cast<char>('0' + (10 - sum % 10) % 10);
}

std::string iban(const std::string& bban) {
    int rest = 0;
    for (const char c : bban + "131400") rest = (rest * 10 + (c - '0')) % 97;  // DE00
    return fmt::format("DE{:02}{}", 98 - rest, bban);
}

std::vector<std::string> planted() {
    std::mt19937 random(66);
    auto digits = [&](int n) {
        std::string text;
        for (int i = 0; i < n; ++i) text += static_cast<char>('0' + random() % 10);
        return text;
    };
    auto letters = [&](int n) {
        static constexpr std::string_view kAll = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        std::string text;
        for (int i = 0; i < n; ++i) text += kAll[random() % kAll.size()];
        return text;
    };
    std::vector<std::string> values;
    for (int i = 0; i < 400; ++i) values.push_back(iban("37040044" + digits(10)));
    for (int i = 0; i < 300; ++i) values.push_back(luhn("4539" + digits(11)));
    for (int i = 0; i < 200; ++i) values.push_back("ghp_" + letters(36));
    for (int i = 0; i < 100; ++i) values.push_back("own-" + letters(20));
    return values;
}

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64(std::string_view text) {
    std::string out;
    unsigned bits = 0, count = 0;
    for (const unsigned char c : text) {
        bits = (bits << 8) | c;
        count += 8;
        while (count >= 6) out += kBase64[(bits >> (count -= 6)) & 63U];
    }
    if (count > 0) out += kBase64[(bits << (6 - count)) & 63U];
    while (out.size() % 4 != 0) out += '=';
    return out;
}

std::string hex_text(std::string_view text) {
    std::string out;
    for (const unsigned char c : text) out += fmt::format("{:02x}", c);
    return out;
}

std::string each(std::string_view text, auto&& form) {
    std::string out;
    for (const unsigned char c : text) out += form(c);
    return out;
}

// The value as JSON text within quotes, in one of the ways in which it might slip through.
constexpr int kForms = 12;
std::string written(std::string_view value, int form) {
    const bool number = value.starts_with("DE") || value.find_first_not_of("0123456789") == std::string_view::npos;
    switch (form) {
        case 1:
            return each(value, [](unsigned char c) { return fmt::format("\\u{:04x}", c); });
        case 2:
            return each(value, [](unsigned char c) { return fmt::format("%{:02X}", c); });
        case 3:
            return each(value, [](unsigned char c) { return fmt::format("&#{};", c); });
        case 4:
            return base64(fmt::format("the value is {} here", value));
        case 5:
            return base64(base64(fmt::format("the value is {} here", value)));
        case 6:
            return hex_text(fmt::format("the value is {} here", value));
        case 7: {  // zero-width spaces
            std::string out;
            for (std::size_t i = 0; i < value.size(); ++i) {
                out += value[i];
                if (i % 4 == 3) out += "\xE2\x80\x8B";
            }
            return out;
        }
        case 8:  // full-width digits
            return each(value, [](unsigned char c) {
                return c >= '0' && c <= '9' ? std::string("\xEF\xBC") + static_cast<char>(0x90 + c - '0')
                                            : std::string(1, static_cast<char>(c));
            });
        case 9:
        case 10: {  // in groups of four, as people write numbers
            if (!number) return std::string(value);
            std::string out;
            for (std::size_t i = 0; i < value.size(); ++i) {
                if (i > 0 && i % 4 == 0) out += form == 9 ? ' ' : '-';
                out += value[i];
            }
            return out;
        }
        case 11:  // a data: URL
            return "data:text/plain;base64," + base64(fmt::format("it is {} .", value));
        default:
            return std::string(value);
    }
}

// ---- what the cloud looks for, with code of its own ----

class Checker {
  public:
    explicit Checker(const std::vector<std::string>& values) {
        for (const auto& value : values) {
            add(lowered(value));
            for (const auto& text : {"the value is " + value + " here", "it is " + value + " ."}) {
                add(lowered(base64(text)).substr(18, 24));
                add(lowered(base64(base64(text))).substr(24, 32));
            }
            add(hex_text(value));
        }
    }

    // How many of them are in a body, in any form.
    int count(std::string_view body) const {
        std::set<std::string> found;
        std::string joined;
        json::Document document;
        if (document.parse(body)) {
            bool content = true;
            document.each_text([&](std::string_view text, bool key) {
                look(lowered(plain(std::string(text))), found);
                if (!key && content) joined += text;
                content = !key || (text != "role" && text != "type");
            });
        }
        look(lowered(plain(std::string(body))), found);
        look(lowered(plain(joined)), found);
        return static_cast<int>(found.size());
    }

  private:
    static constexpr std::size_t kHead = 10;

    void add(const std::string& needle) { needles_[needle.substr(0, kHead)].push_back(needle); }

    void look(std::string_view text, std::set<std::string>& found) const {
        for (std::size_t i = 0; i + kHead <= text.size(); ++i) {
            const auto at = needles_.find(std::string(text.substr(i, kHead)));
            if (at == needles_.end()) continue;
            for (const auto& needle : at->second)
                if (text.substr(i, needle.size()) == needle) found.insert(needle);
        }
    }

    // Letters and digits alone, in small letters.
    static std::string lowered(std::string_view text) {
        std::string out;
        for (const unsigned char c : text)
            if (std::isalnum(c) != 0) out += static_cast<char>(std::tolower(c));
        return out;
    }

    // Without percent, HTML and backslash escapes and full-width digits.
    static std::string plain(const std::string& text) {
        std::string out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const auto rest = std::string_view(text).substr(i);
            if (rest[0] == '%' && rest.size() > 2 && std::isxdigit(static_cast<unsigned char>(rest[1])) != 0) {
                out += static_cast<char>(std::strtol(std::string(rest.substr(1, 2)).c_str(), nullptr, 16));
                i += 2;
            } else if (rest.starts_with("&#") && rest.find(';') < 7) {
                out += static_cast<char>(std::strtol(std::string(rest.substr(2, 5)).c_str(), nullptr, 10));
                i += rest.find(';');
            } else if (rest.starts_with("\\u00") && rest.size() > 5) {
                out += static_cast<char>(std::strtol(std::string(rest.substr(4, 2)).c_str(), nullptr, 16));
                i += 5;
            } else if (rest.starts_with("\xEF\xBC") && rest.size() > 2) {
                out += static_cast<char>('0' + (static_cast<unsigned char>(rest[2]) - 0x90));
                i += 2;
            } else {
                out += rest[0];
            }
        }
        return out;
    }

    std::unordered_map<std::string, std::vector<std::string>> needles_;
};

// ---- sockets ----

struct Socket {
    explicit Socket(int fd) : fd(fd) {}
    ~Socket() {
        if (fd >= 0) close(fd);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    bool send_all(std::string_view text) const {
        while (!text.empty()) {
            const auto n = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
            if (n <= 0) return false;
            text.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    bool more(std::string& into) const {
        char block[16384];
        const auto n = recv(fd, block, sizeof block, 0);
        if (n <= 0) return false;
        into.append(block, static_cast<std::size_t>(n));
        return true;
    }
    int fd;
};

std::size_t length_in(std::string_view head) {
    for (const auto* name : {"content-length: ", "Content-Length: "})
        if (const auto at = head.find(name); at != std::string_view::npos)
            return std::strtoul(std::string(head.substr(at + 16, 12)).c_str(), nullptr, 10);
    return 0;
}

// The cloud. It fails now and then, so that there are retries and fallbacks.
class Cloud {
  public:
    explicit Cloud(const Checker& checker) : checker_(checker) {
        listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
        listen(listener_, 512);
        socklen_t size = sizeof address;
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port = ntohs(address.sin_port);
        accepts_ = std::thread([this] {
            while (true) {
                const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
                if (fd < 0) return;
                const std::lock_guard lock(mutex_);
                open_.push_back(fd);
                threads_.emplace_back([this, fd] { serve(fd); });
            }
        });
    }
    ~Cloud() { stop(); }
    void stop() {
        if (stopped_.exchange(true)) return;
        shutdown(listener_, SHUT_RDWR);
        accepts_.join();
        close(listener_);
        {
            const std::lock_guard lock(mutex_);
            for (const int fd : open_) shutdown(fd, SHUT_RDWR);
        }
        for (auto& thread : threads_) thread.join();
    }

    std::uint16_t port = 0;
    std::atomic<int> requests = 0, leaked = 0;
    std::mutex found_mutex;
    std::vector<std::string> found;  // bodies that should not have come

  private:
    void serve(int fd) {
        const Socket connection(fd);
        std::string pending;
        while (true) {
            std::size_t head = 0;
            while ((head = pending.find("\r\n\r\n")) == std::string::npos)
                if (!connection.more(pending)) return forget(fd);
            const auto length = length_in(std::string_view(pending).substr(0, head));
            while (pending.size() < head + 4 + length)
                if (!connection.more(pending)) return forget(fd);
            const auto whole = pending.substr(0, head + 4 + length);
            pending.erase(0, head + 4 + length);
            if (!answer(connection, whole, std::string_view(whole).substr(head + 4))) return forget(fd);
        }
    }
    // Its number may be used again once it is closed.
    void forget(int fd) {
        const std::lock_guard lock(mutex_);
        std::erase(open_, fd);
    }

    bool answer(const Socket& connection, std::string_view whole, std::string_view body) {
        const int number = ++requests;
        if (checker_.count(whole) + checker_.count(body) > 0) {
            ++leaked;
            const std::lock_guard lock(found_mutex);
            if (found.size() < 5) found.emplace_back(body);
        }
        auto reply = [&](std::string_view status, std::string_view type, std::string_view text) {
            return connection.send_all(fmt::format("HTTP/1.1 {}\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n{}",
                                                   status, type, text.size(), text));
        };
        if (number % 13 == 0) return reply("503 Busy", "application/json", R"({"error":{"message":"busy"}})");
        if (number % 29 == 0) return false;
        if (whole.find("/embeddings") < 64)
            return reply(
                "200 OK", "application/json",
                R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[1,2]}],"usage":{"prompt_tokens":1,"total_tokens":1}})");
        if (body.find("\"stream\":true") != std::string_view::npos)
            return reply(
                "200 OK", "text/event-stream",
                "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":"
                "[{\"index\":0,\"delta\":{\"content\":\"It is <IBAN_CODE_1>\"},\"finish_reason\":null}]}\n\n"
                "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":"
                "[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
        return reply(
            "200 OK", "application/json",
            R"({"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"It is <IBAN_CODE_1>"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}})");
    }

    const Checker& checker_;
    int listener_ = -1;
    std::atomic<bool> stopped_ = false;
    std::mutex mutex_;
    std::vector<int> open_;
    std::vector<std::thread> threads_;
    std::thread accepts_;
};

// ---- the client ----

struct Answer {
    int status = 0;
    std::string body;
};

class Client {
  public:
    explicit Client(std::uint16_t port) : port_(port) {}
    ~Client() {
        if (fd_ >= 0) close(fd_);
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    Answer post(std::string_view path, std::string_view body, std::string_view type = "application/json") {
        const auto text =
            fmt::format("POST {} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n{}", path,
                        type, body.size(), body);
        for (int attempt = 0; attempt < 2; ++attempt) {
            if (fd_ < 0 && !connect_now()) return {};
            if (auto answer = exchange(text); answer.status != 0) return answer;
            close(fd_);
            fd_ = -1;
        }
        return {};
    }

  private:
    bool connect_now() {
        fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;
        setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port_);
        return connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }
    Answer exchange(const std::string& text) {
        std::string in;
        const Socket borrowed(dup(fd_));
        if (!borrowed.send_all(text)) return {};
        std::size_t head = 0;
        while ((head = in.find("\r\n\r\n")) == std::string::npos)
            if (!borrowed.more(in)) return {};
        Answer answer{std::atoi(in.c_str() + 9), {}};
        const auto fields = in.substr(0, head);
        if (fields.find("chunked") != std::string_view::npos) {
            while (!in.ends_with("0\r\n\r\n"))
                if (!borrowed.more(in)) return answer;
            answer.body = in.substr(head + 4);
        } else {
            const auto length = length_in(fields);
            while (in.size() < head + 4 + length)
                if (!borrowed.more(in)) return {};
            answer.body = in.substr(head + 4, length);
        }
        if (fields.find("connection: close") != std::string_view::npos) {
            close(fd_);
            fd_ = -1;
        }
        return answer;
    }

    std::uint16_t port_;
    int fd_ = -1;
};

// ---- the faults ----

enum class Fault { none, throws, fails, late, no_table, full, clock, reload, count };
constexpr const char* kFaultNames[] = {"none",     "detector throws", "detector fails", "detector late",
                                       "no table", "store full",      "clock jumps",    "reloads"};

struct Weather {
    std::atomic<Fault> fault = Fault::none;
    std::atomic<std::int64_t> shift_ms = 0;
};

class Detectors final : public privacy::Detector {
  public:
    Detectors(std::shared_ptr<Weather> weather, std::unique_ptr<privacy::Detector> real)
        : weather_(std::move(weather)), real_(std::move(real)) {}
    Result<std::vector<privacy::Finding>> scan(std::string_view text, bool names) override {
        switch (weather_->fault.load()) {
            case Fault::throws:
                throw std::runtime_error("a detector broke");
            case Fault::fails:
                return fail(ErrorCode::internal, "a detector failed");
            case Fault::late:
                return fail(ErrorCode::internal, "the detector took longer than 10 s");
            default:
                return real_->scan(text, names);
        }
    }

  private:
    std::shared_ptr<Weather> weather_;
    std::unique_ptr<privacy::Detector> real_;
};

struct JumpingClock final : Clock {
    explicit JumpingClock(std::shared_ptr<Weather> weather) : weather(std::move(weather)) {}
    SteadyTime steady() const override { return real->steady(); }
    WallTime wall() const override { return real->wall() + milliseconds(weather->shift_ms.load()); }
    std::unique_ptr<Clock> real = system_clock();
    std::shared_ptr<Weather> weather;
};

void sql(const std::filesystem::path& file, const char* text) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
    sqlite3_busy_timeout(database, 10'000);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(database, text, nullptr, nullptr, &error), SQLITE_OK) << (error != nullptr ? error : "");
    sqlite3_free(error);
    sqlite3_close(database);
}

// ---- the matrix ----

struct Ask {
    const char* path;
    std::string body;
};

// A request that carries `text` (JSON within quotes) on one of the ways.
constexpr int kWays = 14;
Ask ask(int way, const std::string& text, std::mt19937& random) {
    const auto model = random() % 2 == 0 ? "far" : "both";
    const auto message = R"({"role":"user","content":"please look at )" + text + R"( for me"})";
    auto chat = [&](std::string_view messages, std::string_view more = "") {
        return Ask{"/v1/chat/completions", fmt::format(R"({{"model":"{}","messages":[{}]{}}})", model, messages, more)};
    };
    switch (way) {
        case 1:
            return chat(message, R"(,"stream":true)");
        case 2:
            return {"/v1/embeddings", fmt::format(R"({{"model":"e","input":["x","{}"]}})", text)};
        case 3:
            return {"/v1/messages/count_tokens", fmt::format(R"({{"model":"{}","messages":[{}]}})", model, message)};
        case 4:
            return {"/v1/messages", fmt::format(R"({{"model":"{}","max_tokens":9,"messages":[{}]}})", model, message)};
        case 5:
            return {"/v1/responses", fmt::format(R"({{"model":"{}","input":"{}","background":true}})", model, text)};
        case 6:
            return {"/v1/responses", fmt::format(R"({{"model":"{}","input":"{}","stream":true}})", model, text)};
        case 7:  // a title, as clients ask for one
            return chat(R"({"role":"system","content":"Write a title of four words."},)" + message,
                        R"(,"max_tokens":9)");
        case 8:  // a tool's result, and arguments
            return chat(
                R"({"role":"user","content":"go"},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"q\":\"x\"}"}}]},{"role":"tool","tool_call_id":"c","content":")" +
                text + "\"}");
        case 9:  // a schema, metadata and a field that nobody knows
            return chat(
                R"({"role":"user","content":"go"})",
                fmt::format(
                    R"(,"tools":[{{"type":"function","function":{{"name":"f","description":"{}","parameters":{{"type":"object"}}}}}}],"metadata":{{"a":"{}"}},"zzz":["{}"])",
                    text, text, text));
        case 10:
            return {"/api/chat", fmt::format(R"({{"model":"{}","messages":[{}],"stream":false}})", model, message)};
        case 11:
            return {"/v1beta/models/far:generateContent",
                    fmt::format(R"({{"contents":[{{"parts":[{{"text":"{}"}}]}}]}})", text)};
        case 12:
            return {"/v1/completions", fmt::format(R"({{"model":"{}","prompt":"{}"}})", model, text)};
        case 13: {  // cut in two, over two messages
            std::size_t half = text.size() / 2;
            if (text.find('\\') != std::string::npos) half = half / 6 * 6;
            while (half > 0 && (static_cast<unsigned char>(text[half]) & 0xC0) == 0x80) --half;
            return chat(R"({"role":"user","content":")" + text.substr(0, half) + R"("},{"role":"user","content":")" +
                        text.substr(half) + "\"}");
        }
        default:
            return chat(message);
    }
}

std::string config_text(std::uint16_t cloud, const std::filesystem::path& folder, bool redacts) {
    // The local engine is dead: nothing listens there.
    return fmt::format(
        "data: {}/data\n"
        "server: {{ listen: 127.0.0.1:0, workers: 2, drain_timeout: 60s }}\n"
        "privacy: {{ own: {{ mine: {{ values_of: {}/values, label: secret }} }}{} }}\n"
        "providers:\n"
        "  cloud: {{ kind: openai, zone: cloud, base_url: http://127.0.0.1:{}/v1 }}\n"
        "  home: {{ kind: openai, zone: local, base_url: http://127.0.0.1:9/v1, connect_timeout: 1s }}\n"
        "models:\n"
        "  far: {{ provider: cloud, capabilities: [chat, tools, json] }}\n"
        "  near: {{ provider: home, capabilities: [chat, tools, json] }}\n"
        "  e: {{ provider: cloud, capabilities: [embeddings] }}\n"
        "aliases: {{ both: [near, far] }}\n"
        "policy: {{ preset: cloud-first, failure: {{ attempts: 2, hedge: {{ after: 1ms }}, on_cut: continue }} }}\n",
        folder.string(), folder.string(),
        redacts ? ", actions: { cloud: { private: redact, secret: redact, internal: redact } }" : "", cloud);
}

// A batch of requests, each with a value.
void start_batch(Client& client, const std::vector<std::string>& values, std::mt19937& random) {
    std::string lines;
    for (int i = 0; i < 20; ++i) {
        const auto text = written(values[random() % values.size()], static_cast<int>(random() % kForms));
        lines += fmt::format(
            R"({{"custom_id":"{}","method":"POST","url":"/v1/chat/completions","body":{{"model":"far","messages":[{{"role":"user","content":"look at {}"}}]}}}})"
            "\n",
            i, text);
    }
    const auto form = fmt::format(
        "--b\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\n"
        "content-disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n{}\r\n--b--\r\n",
        lines);
    json::Document file;
    if (!file.parse(client.post("/v1/files", form, "multipart/form-data; boundary=b").body)) return;
    (void)client.post(
        "/v1/batches",
        fmt::format(R"({{"input_file_id":"{}","endpoint":"/v1/chat/completions","completion_window":"24h"}})",
                    file.root()["id"].text()));
}

struct Matrix : testing::Test {
    test::Folder folder;
    std::vector<std::string> values = planted();
    Checker checker{values};
    Cloud cloud{checker};
    std::shared_ptr<Weather> weather = std::make_shared<Weather>();
    std::unique_ptr<App> app;
    std::filesystem::path file = folder.path / "tandem.yaml";

    void start(bool redacts) {
        std::string own;
        for (std::size_t i = 900; i < values.size(); ++i) own += fmt::format("KEY_{}={}\n", i, values[i]);
        test::write_file(folder.path / "values", own);
        write_config(redacts);
        auto config = config::load(file, true, config::process_environment());
        ASSERT_TRUE(config) << config.error().message;
        World world;
        world.clock = std::make_unique<JumpingClock>(weather);
        world.detector = [weather =
                              weather](const config::Config& config) -> Result<std::shared_ptr<privacy::Detector>> {
            auto real = privacy::make_detector(config.privacy.own);
            if (!real) return fail(real.error());
            return std::make_shared<Detectors>(weather, std::move(*real));
        };
        auto started = App::start(std::move(*config), config::process_environment(), std::move(world));
        ASSERT_TRUE(started) << started.error().message;
        app = std::move(*started);
    }
    void write_config(bool redacts) {
        test::write_file(folder.path / "new.yaml", config_text(cloud.port, folder.path, redacts));
        std::filesystem::rename(folder.path / "new.yaml", file);
    }
    std::uint16_t port() const {
        const auto url = app->url();
        return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
    }
    void expect_nothing_left() {
        EXPECT_EQ(cloud.leaked, 0);
        for (const auto& body : cloud.found) ADD_FAILURE() << body;
    }
};

TEST_F(Matrix, the_checker_knows_each_value_in_each_form) {
    std::mt19937 random(1);
    for (std::size_t v = 0; v < values.size(); v += 37)
        for (int form = 0; form < kForms; ++form)
            for (int way = 0; way < kWays; ++way) {
                if (way == 13 && form >= 4 && form != 7 && form != 9 && form != 10 && form != 8)
                    continue;  // of encodings, halves are nothing
                const auto made = ask(way, written(values[v], form), random);
                ASSERT_GT(checker.count(made.body), 0) << made.body;
            }
    EXPECT_EQ(checker.count(R"({"messages":[{"role":"user","content":"nothing here 1234567890"}]})"), 0);
}

TEST_F(Matrix, nothing_planted_leaves_on_any_way_under_any_fault) {
    const auto* const asked = std::getenv("TANDEM_MATRIX");
    const int total = asked == nullptr ? 2'500 : std::atoi(asked);
    start(true);
    if (HasFatalFailure()) return;
    const auto database = folder.path / "data" / "ledger.db";
    std::atomic<int> next = 0, answered = 0, refused = 0, unclear = 0;
    std::mutex mutex;
    std::map<std::string, std::array<int, 2>> by_fault;  // answered, refused
    std::string example;
    auto work = [&](unsigned seed) {
        std::mt19937 random(seed);
        Client client(port());
        while (true) {
            const int number = next++;
            if (number >= total) return;
            const bool harmless = number % 16 == 0;
            const auto& value = values[random() % values.size()];
            const auto way = static_cast<int>(random() % kWays);
            auto form = static_cast<int>(random() % kForms);
            const auto made = ask(way, harmless ? "the weather" : written(value, form), random);
            const auto fault = weather->fault.load();
            const auto answer = client.post(made.path, made.body);
            const bool good = answer.status == 200;
            ++(good ? answered : refused);
            json::Document document;
            // Gemini, OpenAI and Anthropic have error.message, Ollama error.
            if (!good && (answer.status < 400 || !document.parse(answer.body) ||
                          (document.root()["error"]["message"].text().size() < 20 &&
                           document.root()["error"].text().size() < 20))) {
                ++unclear;
                const std::lock_guard lock(mutex);
                example = fmt::format("{} {} -> {} {}", made.path, made.body, answer.status, answer.body);
            }
            const std::lock_guard lock(mutex);
            ++by_fault[kFaultNames[static_cast<int>(fault)]][good ? 0 : 1];
        }
    };
    std::vector<std::thread> clients;
    for (unsigned i = 0; i < 8; ++i) clients.emplace_back(work, 100 + i);
    std::mt19937 random(9);
    Client batches(port());
    // The weather changes as the work goes on.
    const int step = std::max(total / 64, 1);
    for (int turn = 0; next < total; ++turn) {
        const auto fault = static_cast<Fault>(turn % static_cast<int>(Fault::count));
        weather->fault = fault;
        if (fault == Fault::no_table) sql(database, "ALTER TABLE egress RENAME TO egress_gone");
        if (fault == Fault::full)
            sql(database,
                "CREATE TRIGGER full BEFORE INSERT ON egress BEGIN SELECT RAISE(FAIL, 'database or disk is full'); "
                "END");
        if (turn % 8 != static_cast<int>(Fault::no_table)) start_batch(batches, values, random);
        const int until = (turn + 1) * step;
        bool redacts = false;
        while (next < std::min(until, total)) {
            if (fault == Fault::clock) weather->shift_ms = (redacts = !redacts) ? 86'400'000 : -86'400'000;
            if (fault == Fault::reload) {
                write_config(redacts = !redacts);
                EXPECT_TRUE(app->reload());
            }
            std::this_thread::sleep_for(milliseconds(5));
        }
        weather->shift_ms = 0;
        if (fault == Fault::no_table) sql(database, "ALTER TABLE egress_gone RENAME TO egress");
        if (fault == Fault::full) sql(database, "DROP TRIGGER full");
        if (fault == Fault::reload) {
            write_config(true);
            EXPECT_TRUE(app->reload());
        }
    }
    for (auto& client : clients) client.join();
    weather->fault = Fault::none;
    app.reset();  // what runs in the background ends
    cloud.stop();
    for (const auto& [name, counts] : by_fault)
        fmt::print("{:<16} {:>7} answered {:>7} refused\n", name, counts[0], counts[1]);
    fmt::print("{} requests, {} bodies at the cloud, {} of them with a planted value\n", total, cloud.requests.load(),
               cloud.leaked.load());
    expect_nothing_left();
    EXPECT_EQ(unclear, 0) << example;
    // The way was open: harmless requests, and redacted ones, did reach it.
    EXPECT_GT(cloud.requests, total / 16);
    EXPECT_GT(answered, total / 8);
    EXPECT_GT(refused, total / 16);
}

TEST_F(Matrix, a_locked_vault_keeps_home_what_would_have_to_be_redacted) {
    std::filesystem::create_directories(folder.path / "data");
    test::write_file(folder.path / "data" / "privacy.key", "damaged");
    start(true);
    if (HasFatalFailure()) return;
    std::mt19937 random(5);
    Client client(port());
    for (int i = 0; i < 200; ++i) {
        const auto made = ask(i % kWays, written(values[random() % values.size()], i % kForms), random);
        const auto answer = client.post(made.path, made.body);
        if (i % kWays != 3 && i % kWays != 5) EXPECT_NE(answer.status, 200) << made.body;
    }
    EXPECT_EQ(
        client.post("/v1/chat/completions", R"({"model":"far","messages":[{"role":"user","content":"hello"}]})").status,
        200);
    app.reset();
    cloud.stop();
    expect_nothing_left();
}

}  // namespace
}  // namespace tandem
