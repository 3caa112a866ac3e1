#include "cli/certificate.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/text.h"

namespace tandem::cli {

namespace {

struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string text_of(const ASN1_STRING* text) {
    return printable(std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                 static_cast<std::size_t>(ASN1_STRING_length(text))),
                     100);
}

std::vector<std::string> names_of(const X509* certificate) {
    std::vector<std::string> names;
    const std::unique_ptr<GENERAL_NAMES, Free> others(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; others && i < sk_GENERAL_NAME_num(others.get()); ++i) {
        const auto* name = sk_GENERAL_NAME_value(others.get(), i);
        if (name->type == GEN_DNS) names.push_back(text_of(name->d.dNSName));
    }
    if (!names.empty()) return names;
    const auto* subject = X509_get_subject_name(certificate);
    const auto at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0) names.push_back(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
    return names;
}

}  // namespace

std::optional<Certificate> read_certificate(const std::string& file, const std::string& host) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) return {};
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "re"), std::fclose);
    if (!in) return {};
    const std::unique_ptr<X509, Free> read(PEM_read_X509(in.get(), nullptr, nullptr, nullptr));
    if (!read) return {};
    int days = 0, rest = 0;
    if (ASN1_TIME_diff(&days, &rest, nullptr, X509_get0_notAfter(read.get())) != 1) return {};
    Certificate certificate{rest < 0 ? days - 1 : days, names_of(read.get())};
    certificate.covers_host = X509_check_ip_asc(read.get(), host.c_str(), 0) == 1 ||
                              X509_check_host(read.get(), host.c_str(), host.size(), 0, nullptr) == 1;
    return certificate;
}

}  // namespace tandem::cli
