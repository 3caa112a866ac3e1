#include "cli/listener.h"

#include <gtest/gtest.h>

namespace tandem::cli {
namespace {

// Lines of /proc/net/tcp: port 7117 (0x1BCD) is listened on by uid 1000, 8080 (0x1F90) by 65534; a connection to 7117
// is 65534's.
constexpr auto kTable =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:1BCD 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 100 0 0 10 0\n"
    "   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 65534        0 2 1 0 100 0 0 10 0\n"
    "   2: 0100007F:A1B2 0100007F:1BCD 01 00000000:00000000 00:00000000 00000000 65534        0 3 1 0 100 0 0 10 0\n";

TEST(Listeners, of_other_users_are_not_trusted_with_the_admins_token) {
    EXPECT_TRUE(listeners_belong_to(kTable, 7117, 1000, 1000));
    EXPECT_TRUE(listeners_belong_to(kTable, 7117, 0, 1000));
    EXPECT_FALSE(listeners_belong_to(kTable, 7117, 0, 0));
    EXPECT_FALSE(listeners_belong_to(kTable, 8080, 1000, 1000));
    EXPECT_TRUE(listeners_belong_to(kTable, 9999, 1000, 1000));  // nobody
    EXPECT_TRUE(listeners_belong_to("nonsense\n: :1F90\n", 8080, 1000, 1000));
}

}  // namespace
}  // namespace tandem::cli
