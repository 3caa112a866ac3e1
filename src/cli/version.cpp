// tandem version.
#include <fmt/format.h>
#include <hs/hs.h>
#include <openssl/crypto.h>
#include <sqlite3.h>

#include <boost/version.hpp>

#include "base/json.h"
#include "cli/cli.h"

namespace tandem::cli {

void add_version(CLI::App& app, Globals& globals, Action& action) {
    auto* command = app.add_subcommand("version", "Print the version");
    command->callback([&] {
        action = [&globals] {
            if (!globals.json) {
                fmt::print("tandem {}\n", TANDEM_VERSION);
                return kOk;
            }
            json::Writer out;
            out.begin_object()
                .member("tandem", TANDEM_VERSION)
                .member("boost", BOOST_LIB_VERSION)
                .member("openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
            out.member("sqlite", sqlite3_libversion()).member("vectorscan", hs_version()).end_object();
            fmt::print("{}\n", out.text());
            return kOk;
        };
    });
}

}  // namespace tandem::cli
