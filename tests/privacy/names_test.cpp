#include "privacy/names/names.h"

#include <gtest/gtest.h>

#include <string>

namespace tandem::privacy {
namespace {

std::string found(std::string_view text) {
    std::vector<Finding> findings;
    find_names(text, findings);
    std::string out;
    for (const auto& f : findings)
        out += std::string(f.type) + ":" + std::string(text.substr(f.begin, f.end - f.begin)) + ";";
    return out;
}

TEST(Names, finds_people_organisations_and_places_by_form_and_context) {
    EXPECT_EQ(found("I work for Kavix, an IT company"), "ORGANIZATION:Kavix;");
    EXPECT_EQ(found("Does your bank work in France and Spain?"), "LOCATION:France;LOCATION:Spain;");
    EXPECT_EQ(found("Can you tell me about the weather in bahrain?"), "LOCATION:bahrain;");
}

TEST(Names, finds_an_address_as_one_span) {
    EXPECT_EQ(found("I moved to 12 Rue de Rivoli, 75004 Paris, France"),
              "LOCATION:12 Rue de Rivoli, 75004 Paris, France;");
    EXPECT_EQ(found("The office is at Via Roma 4, 00184 Roma RM, Italy."),
              "LOCATION:Via Roma 4, 00184 Roma RM, Italy;");
}

TEST(Names, finds_nothing_in_text_without_names_and_reads_any_bytes) {
    EXPECT_EQ(found("the quick brown fox, 12 of them"), "");
    for (const std::string_view odd : {"", "\xC3", "\xE2\x80", "A\xC4", "\xFF\xFE Anna", "12\n\n\n,"}) found(odd);
    EXPECT_LE(found(std::string(5000, 'A') + " " + std::string(5000, ',')).size(), 20000U);
}

// Kinds of public reports about others' detectors: docs/internals/field.md.
TEST(Names, finds_names_in_capitals_with_initials_and_of_no_list) {
    EXPECT_EQ(found("My name is SOPHY SANTINO."), "PERSON:SOPHY SANTINO;");
    EXPECT_EQ(found("My name is Samuel L. Jackson."), "PERSON:Samuel L. Jackson;");
    EXPECT_EQ(found("Dr. Elena Papadopoulos reviewed the chart."), "PERSON:Elena Papadopoulos;");
    EXPECT_EQ(found("Attn Marcus Whitfield"), "PERSON:Marcus Whitfield;");
}

TEST(Names, finds_no_names_in_code_numbers_logs_and_tables) {
    for (const std::string_view text :
         {"6033391\n6058722", "1607635102.00 -0.96", "Our C4 diagrams show S3, EKS and RDS in one VPC.",
          "Each individual has a right to appeal. The individual may ask again.",
          "class UserAccount extends BaseModel { constructor(AuthService auth) {} }",
          "| Name | Owner | Due Date | Status |\n| --- | --- | --- | --- |",
          "SELECT Name, City FROM Customers WHERE Region = 'North';", "std::vector<Victoria> of(const Jordan& jordan);",
          "U+0021 EXCLAMATION MARK, U+003F QUESTION MARK, U+0022 QUOTATION MARK"})
        EXPECT_EQ(found(text), "") << text;
}

}  // namespace
}  // namespace tandem::privacy
