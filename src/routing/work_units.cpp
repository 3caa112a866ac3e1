#include "routing/work_units.h"

#include <algorithm>
#include <array>
#include <string>

#include "routing/work_words.h"

namespace tandem::routing {

namespace {

// Folded. A letter alone counts behind a number, or behind another unit.
constexpr auto kUnits = std::to_array<std::string_view>(
    {"c",           "celsius",     "cent",       "centimeter",  "centimeters", "centimetre", "centimetres",
     "centimetri",  "centimetros", "centimetry", "cents",       "cm",          "cup",        "cups",
     "day",         "days",        "dias",       "dni",         "euro",        "euros",      "f",
     "fahrenheit",  "feet",        "foot",       "fot",         "ft",          "fuss",       "g",
     "gal",         "gallon",      "gallons",    "galones",     "gb",          "gigabyte",   "gigabytes",
     "giorni",      "godzin",      "godziny",    "grad",        "gram",        "gramm",      "grammes",
     "grammi",      "gramos",      "grams",      "h",           "heures",      "horas",      "hour",
     "hours",       "inch",        "inches",     "jours",       "k",           "kelvin",     "kg",
     "kilo",        "kilogram",    "kilogramm",  "kilogrammes", "kilograms",   "kilometer",  "kilometers",
     "kilometre",   "kilometres",  "kilometri",  "kilometros",  "kilometrow",  "kilos",      "km",
     "kmh",         "l",           "lb",         "lbs",         "libras",      "liter",      "liters",
     "litre",       "litres",      "litri",      "litros",      "livres",      "m",          "mb",
     "megabyte",    "megabytes",   "meilen",     "meter",       "meters",      "metre",      "metres",
     "metri",       "metros",      "metrow",     "mi",          "miglia",      "mijl",       "mil",
     "mile",        "miles",       "milhas",     "milles",      "millas",      "milliliter", "milliliters",
     "millimeter",  "millimeters", "min",        "minuten",     "minutes",     "minuti",     "minutos",
     "ml",          "mm",          "mph",        "ore",         "ounce",       "ounces",     "oz",
     "pfund",       "pieds",       "pies",       "pint",        "pints",       "pouces",     "pound",
     "pounds",      "pulgadas",    "quart",      "quarts",      "s",           "sec",        "second",
     "secondes",    "seconds",     "secondi",    "segundos",    "sekunden",    "stunden",    "tablespoon",
     "tablespoons", "tage",        "teaspoon",   "teaspoons",   "ton",         "tonnen",     "tonnes",
     "tons",        "unzen",       "uren",       "week",        "weeks",       "yard",       "yards",
     "yd",          "zoll"});

constexpr auto kHowMany =
    std::to_array<std::string_view>({"combien", "cuantas", "cuantos", "hoeveel", "ile", "many", "much", "quantas",
                                     "quante", "quanti", "quantos", "viel", "viele"});

constexpr auto kJoining = std::to_array<std::string_view>(
    {"a",        "an",        "and",       "are",       "as",        "auf",     "convert", "converta", "converte",
     "converti", "convertir", "convertis", "convierte", "da",        "das",     "de",      "degree",   "degrees",
     "degres",   "della",     "des",       "do",        "does",      "e",       "ein",     "eine",     "einem",
     "einer",    "el",        "em",        "en",        "equals",    "es",      "et",      "fa",       "fait",
     "fanno",    "font",      "gib",       "grados",    "gradi",     "hay",     "how",     "i",        "il",
     "in",       "into",      "is",        "ist",       "jest",      "la",      "le",      "les",      "many",
     "me",       "mi",        "na",        "naar",      "nach",      "o",       "of",      "om",       "per",
     "please",   "por",       "przelicz",  "quanto",    "quick",     "quickly", "rechne",  "reken",    "s",
     "sa",       "si",        "sind",      "son",       "sono",      "sur",     "tell",    "that",     "the",
     "there",    "to",        "trasforma", "um",        "umrechnen", "un",      "una",     "une",      "und",
     "w",        "wandle",    "was",       "wat",       "what",      "whats",   "wie",     "wieviel",  "y",
     "zamien",   "zet",       "zijn",      "zu"});

template <typename List>
bool is_in(const List& list, std::string_view word) {
    return std::ranges::find(list, word) != list.end();
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_of_word(char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c) || static_cast<unsigned char>(c) >= 0xC3;
}

}  // namespace

bool converts_units(std::string_view written) {
    constexpr std::size_t kMostBytes = 160;
    constexpr int kMostWords = 20;
    if (written.size() > kMostBytes) return false;
    const auto text = folded(written);
    int units = 0, words = 0;
    bool amount = false, behind_number = false;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == '\xC2') {  // the sign of a degree, and what stands before a question in Spanish
            at += 2;
            continue;
        }
        if (!is_of_word(text[at])) {
            ++at;
            continue;
        }
        auto end = at;
        const bool number = is_digit(text[at]);
        const auto goes_on = [&](char c) {
            return number ? is_digit(c) || c == '.' || c == ',' : is_of_word(c) && !is_digit(c);
        };
        while (end < text.size() && goes_on(text[end])) ++end;
        const auto word = std::string_view(text).substr(at, end - at);
        at = end;
        if (++words > kMostWords) return false;
        if (number) {
            amount = behind_number = true;
            continue;
        }
        // A letter alone is a unit behind a number, or where one was named: "25 C in F".
        const bool unit = is_in(kUnits, word) && (word.size() > 1 || behind_number || units > 0);
        if (unit)
            ++units;
        else if (is_in(kHowMany, word))
            amount = true;
        else if (!is_in(kJoining, word))
            return false;
        behind_number = false;
    }
    return units >= 2 && amount;
}

}  // namespace tandem::routing
