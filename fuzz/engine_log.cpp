// What an engine says of itself, and what the environment names as a proxy: whatever stands there, no number is below
// 0, sums do not run over, and no word of it comes back in an error.
#include "engine/engine_memory.h"
#include "engine/pull/proxy.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto words = tandem::engine::words_of(text);
    if (words.host() < 0 || words.on_devices() < 0) __builtin_trap();
    const auto speed = tandem::engine::fastest_of(text);
    if (!(speed >= 0 && speed <= 1e6)) __builtin_trap();
    const auto proxy = tandem::engine::proxy_from(text, "HTTPS_PROXY");
    if (proxy &&
        (proxy->host.empty() || proxy->port == 0 || proxy->authorization.find_first_of("\r\n") != std::string::npos))
        __builtin_trap();
    // An error is one of these, whatever the text was: it may have held a password.
    bool known = false;
    for (const auto* wrong : {"https://a", "[a", "[a]b", ":"})
        known = known ||
                (!proxy && proxy.error().message == tandem::engine::proxy_from(wrong, "HTTPS_PROXY").error().message);
    if (!proxy && !known) __builtin_trap();
    (void)tandem::engine::is_direct(text, text.substr(size / 2), 443);
    return 0;
}
