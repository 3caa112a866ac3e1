// What `tandem model pull` is asked for, read from the words of the owner.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tandem::engine {

struct Reference {
    enum class From { hub, registry, url, file };
    From from = From::file;
    std::string origin;    // "https://registry.ollama.ai"; of a hub empty: the one that HF_ENDPOINT names
    std::string name;      // hub: ORG/REPO. Ollama: NAMESPACE/NAME. Else the URL or the path
    std::string wanted;    // hub: a quantization or a file, may be empty. Ollama: the tag
    std::string revision;  // hub: a branch, a tag or a commit
};

// hf:ORG/REPO[:QUANT or FILE][@REVISION], ollama:[HOST/][NAMESPACE/]NAME[:TAG], http(s)://..., or a path. The addresses
// of the hub's own pages ("https://huggingface.co/ORG/REPO/blob/main/FILE", "hf.co/ORG/REPO:QUANT") are the same as
// hf:. Errors: invalid, with the forms that there are.
Result<Reference> reference_of(std::string_view text);

}  // namespace tandem::engine
