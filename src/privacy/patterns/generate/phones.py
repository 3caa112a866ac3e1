"""Writes calling_codes.h from the metadata of PyPI's `phonenumbers` (Apache-2.0): pip install phonenumbers; python phones.py > ../calling_codes.h; clang-format-19 -i ../calling_codes.h"""
import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

print(f"""// Written by generate/phones.py from phonenumbers {phonenumbers.__version__}; not to be edited. Private to phones.cpp.
#pragma once

#include <array>
#include <cstdint>

namespace tandem::privacy {{

struct CallingCode {{
    std::uint16_t code;
    std::uint32_t lengths;  // bit n: n digits behind the code
}};
constexpr auto kCodes = std::to_array<CallingCode>({{""")
row = []
for code, regions in sorted(COUNTRY_CODE_TO_REGION_CODE.items()):
    lengths = 0
    for region in regions:
        data = PhoneMetadata.metadata_for_nongeo_region(code, None) if region == "001" else PhoneMetadata.metadata_for_region(region, None)
        for length in data.general_desc.possible_length if data else ():
            lengths |= 1 << length if length > 0 else 0
    row.append(f"{{{code}, 0x{lengths:x}}},")
for i in range(0, len(row), 6):
    print("    " + " ".join(row[i:i + 6]))
print("""});

}  // namespace tandem::privacy""")
