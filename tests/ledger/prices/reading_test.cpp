// What each provider says that was used, read into buckets. Bodies are in the form of the providers' own documents.
#include "ledger/prices/reading.h"

#include <gtest/gtest.h>

#include <map>

namespace tandem::prices {
namespace {

using Counts = std::map<std::string, std::int64_t>;

Counts counts(const Reading& reading) {
    Counts out;
    for (std::size_t i = 0; i < kBuckets; ++i)
        if (const auto count = reading.buckets[static_cast<Bucket>(i)]; count != 0)
            out[std::string(kBucketNames[i])] = count;
    return out;
}

Reading read(std::string_view body, std::string provider = {}, std::string model = {}, std::string dialect = {}) {
    return read_usage(body, {std::move(provider), std::move(model), std::move(dialect)});
}

TEST(Usage, of_chat_completions_has_cached_tokens_and_thoughts_inside) {
    const auto reading =
        read(R"({"object":"chat.completion","model":"gpt-5.1-2025-11-13","service_tier":"flex","usage":{
        "prompt_tokens":2006,"completion_tokens":300,"total_tokens":2306,
        "prompt_tokens_details":{"cached_tokens":1920,"audio_tokens":0},
        "completion_tokens_details":{"reasoning_tokens":256,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}})",
             "openai");
    EXPECT_EQ(counts(reading), (Counts{{"input", 86}, {"cache_read", 1920}, {"output", 44}, {"reasoning", 256}}));
    EXPECT_EQ(reading.service_tier, "flex");
    EXPECT_EQ(reading.model, "gpt-5.1-2025-11-13");
    EXPECT_TRUE(reading.warnings.empty());
}

TEST(Usage, of_chat_completions_with_sound_tells_it_apart) {
    const auto reading = read(R"({"usage":{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500,
        "prompt_tokens_details":{"cached_tokens":200,"text_tokens":400,"audio_tokens":600,"image_tokens":0},
        "completion_tokens_details":{"reasoning_tokens":0,"text_tokens":100,"audio_tokens":400}}})");
    EXPECT_EQ(
        counts(reading),
        (Counts{{"input", 200}, {"cache_read", 200}, {"audio_input", 600}, {"output", 100}, {"audio_output", 400}}));
}

TEST(Usage, of_responses_is_read_from_the_last_event_with_its_tools) {
    const auto reading = read(
        R"({"type":"response.completed","response":{"object":"response","model":"gpt-5.4","service_tier":"priority","output":[
        {"type":"web_search_call","action":{"type":"search","query":"x"}},{"type":"web_search_call","action":{"type":"open_page"}},
        {"type":"file_search_call"},{"type":"code_interpreter_call","container_id":"c"},{"type":"code_interpreter_call","container_id":"c"}],
        "usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":6},"output_tokens":87,
        "output_tokens_details":{"reasoning_tokens":7},"total_tokens":123}}})");
    EXPECT_EQ(counts(reading), (Counts{{"input", 30},
                                       {"cache_read", 6},
                                       {"output", 80},
                                       {"reasoning", 7},
                                       {"web_search", 1},
                                       {"file_search", 1},
                                       {"code_execution", 1}}));
    EXPECT_EQ(reading.service_tier, "priority");
}

TEST(Usage, of_realtime_takes_cached_sound_out_of_sound) {
    const auto reading =
        read(R"({"type":"response.done","response":{"usage":{"total_tokens":253,"input_tokens":132,"output_tokens":121,
        "input_token_details":{"text_tokens":119,"audio_tokens":13,"image_tokens":0,"cached_tokens":74,
        "cached_tokens_details":{"text_tokens":64,"audio_tokens":10,"image_tokens":0}},
        "output_token_details":{"text_tokens":30,"audio_tokens":91}}}})",
             "openai");
    EXPECT_EQ(counts(reading), (Counts{{"input", 55},
                                       {"cache_read", 64},
                                       {"audio_input", 3},
                                       {"cached_audio", 10},
                                       {"output", 30},
                                       {"audio_output", 91}}));
}

TEST(Usage, of_embeddings_transcriptions_and_pictures) {
    EXPECT_EQ(
        counts(read(
            R"({"object":"list","data":[],"model":"text-embedding-3-small","usage":{"prompt_tokens":8,"total_tokens":8}})")),
        (Counts{{"input", 8}}));
    EXPECT_EQ(
        counts(read(
            R"({"text":"a","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":0,"audio_tokens":14},
        "output_tokens":45,"total_tokens":59}})")),
        (Counts{{"audio_input", 14}, {"output", 45}}));
    EXPECT_EQ(counts(read(R"({"text":"a","usage":{"type":"duration","seconds":9}})")), (Counts{{"seconds", 9000}}));
    EXPECT_EQ(counts(read(R"({"task":"transcribe","duration":8.470000267028809,"text":"a"})")),
              (Counts{{"seconds", 8470}}));
    EXPECT_EQ(
        counts(read(
            R"({"created":1713833628,"data":[{"b64_json":"..."}],"usage":{"total_tokens":100,"input_tokens":50,"output_tokens":50,
        "input_tokens_details":{"text_tokens":10,"image_tokens":40}}})")),
        (Counts{{"input", 10}, {"image_input", 40}, {"image_output", 50}}));
    EXPECT_EQ(counts(read(R"({"created":1,"data":[{"url":"a"},{"url":"b"}]})")), (Counts{{"images", 2}}));
}

TEST(Usage, of_messages_has_the_cache_beside_the_input_by_its_lifetime) {
    const auto reading =
        read(R"({"type":"message","model":"claude-opus-4-6","usage":{"input_tokens":2048,"cache_read_input_tokens":1800,
        "cache_creation_input_tokens":248,"cache_creation":{"ephemeral_5m_input_tokens":148,"ephemeral_1h_input_tokens":100},"output_tokens":503,
        "output_tokens_details":{"thinking_tokens":100},"server_tool_use":{"web_search_requests":2,"web_fetch_requests":1},
        "service_tier":"batch","inference_geo":"us"}})");
    EXPECT_EQ(counts(reading), (Counts{{"input", 2048},
                                       {"cache_read", 1800},
                                       {"cache_write", 148},
                                       {"cache_write_1h", 100},
                                       {"output", 403},
                                       {"reasoning", 100},
                                       {"web_search", 2}}));
    EXPECT_EQ(reading.service_tier, "batch");
    EXPECT_EQ(reading.region, "us");
    EXPECT_EQ(read(R"({"input_tokens":1,"output_tokens":1,"speed":"fast","inference_geo":"global"})").service_tier,
              "fast");
}

TEST(Usage, of_a_stream_of_messages_is_that_of_its_start_and_end_together) {
    const auto reading = read(
        "event: message_start\n"
        R"(data: {"type":"message_start","message":{"model":"claude-opus-4-6","usage":{"input_tokens":25,"cache_read_input_tokens":7,"output_tokens":1}}})"
        "\n\nevent: message_delta\n"
        R"(data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}})"
        "\n\n");
    EXPECT_EQ(counts(reading), (Counts{{"input", 25}, {"cache_read", 7}, {"output", 15}}));
    EXPECT_EQ(reading.model, "claude-opus-4-6");
    EXPECT_FALSE(reading.partial);
    EXPECT_TRUE(read(R"({"type":"message_delta","usage":{"output_tokens":15}})").partial);
}

TEST(Usage, of_a_compaction_is_added_where_the_counts_on_top_leave_it_out) {
    const auto reading = read(R"({"type":"message","usage":{"input_tokens":45000,"output_tokens":1234,"iterations":[
        {"type":"compaction","input_tokens":180000,"output_tokens":3500},{"type":"message","input_tokens":23000,"output_tokens":1000}]}})");
    EXPECT_EQ(counts(reading), (Counts{{"input", 225000}, {"output", 4734}}));
    EXPECT_FALSE(reading.warnings.empty());
}

TEST(Usage, of_gemini_has_thoughts_beside_the_answer_and_the_cache_inside_the_prompt) {
    const auto reading = read(
        R"({"candidates":[{"groundingMetadata":{"webSearchQueries":["a","b"]}}],"modelVersion":"gemini-2.5-flash","usageMetadata":{
        "promptTokenCount":300,"candidatesTokenCount":20,"totalTokenCount":430,"cachedContentTokenCount":50,"thoughtsTokenCount":100,
        "toolUsePromptTokenCount":10,"trafficType":"ON_DEMAND_PRIORITY",
        "promptTokensDetails":[{"modality":"TEXT","tokenCount":100},{"modality":"AUDIO","tokenCount":150},{"modality":"DOCUMENT","tokenCount":50}],
        "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":50}],"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":5}]}})");
    EXPECT_EQ(counts(reading), (Counts{{"input", 110},
                                       {"audio_input", 100},
                                       {"image_input", 50},
                                       {"cached_audio", 50},
                                       {"output", 15},
                                       {"image_output", 5},
                                       {"reasoning", 100},
                                       {"web_search", 2}}));
    EXPECT_EQ(reading.service_tier, "priority");
    EXPECT_TRUE(reading.warnings.empty());
    EXPECT_EQ(
        counts(read(
            R"({"usage_metadata":{"prompt_token_count":7,"candidates_token_count":2,"thoughts_token_count":3,"total_token_count":12}})")),
        (Counts{{"input", 7}, {"output", 2}, {"reasoning", 3}}));
    // A stream as an array: the last counts are the counts.
    EXPECT_EQ(counts(read(R"([{"usageMetadata":{"promptTokenCount":7,"totalTokenCount":7}},
        {"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":9,"totalTokenCount":16}}])")),
              (Counts{{"input", 7}, {"output", 9}}));
}

TEST(Usage, of_gemini_asked_in_openais_words_has_its_thoughts_in_the_total_alone) {
    const std::string_view body = R"({"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":115}})";
    EXPECT_EQ(counts(read(body, "gemini")), (Counts{{"input", 10}, {"output", 5}, {"reasoning", 100}}));
    const auto other = read(body, "openai");
    EXPECT_EQ(counts(other), (Counts{{"input", 10}, {"output", 5}}));
    EXPECT_FALSE(other.warnings.empty());
}

TEST(Usage, that_is_only_a_total_says_nothing_whoever_says_it) {
    for (const auto* provider : {"xai", "google", "openai"}) {
        const auto reading =
            read(R"({"model":"gpt-4o","object":"chat.completion","usage":{"total_tokens":103}})", provider);
        EXPECT_FALSE(reading.found) << provider;
        EXPECT_TRUE(reading.buckets.empty()) << provider;
    }
    const auto searches =
        read(R"({"usage":{"total_tokens":103,"citation_tokens":40,"num_search_queries":2}})", "perplexity");
    EXPECT_EQ(counts(searches), (Counts{{"citation", 40}, {"web_search", 2}}));
    EXPECT_TRUE(searches.found && searches.partial) << "what is billed beside the tokens is known";
}

TEST(Usage, of_converse_has_the_cache_beside_by_its_lifetime) {
    EXPECT_EQ(
        counts(read(
            R"({"output":{"message":{}},"usage":{"inputTokens":30,"outputTokens":628,"totalTokens":758,"cacheReadInputTokens":60,
        "cacheWriteInputTokens":40,"cacheDetails":[{"ttl":"5m","inputTokens":10},{"ttl":"1h","inputTokens":30}]},"metrics":{"latencyMs":1}})")),
        (Counts{{"input", 30}, {"cache_read", 60}, {"cache_write", 10}, {"cache_write_1h", 30}, {"output", 628}}));
    EXPECT_EQ(counts(read(R"({"metadata":{"usage":{"inputTokens":3,"outputTokens":4}}})")),
              (Counts{{"input", 3}, {"output", 4}}));
    EXPECT_EQ(counts(read(R"({"inputTextTokenCount":5,"results":[{"tokenCount":7,"outputText":"x"}]})")),
              (Counts{{"input", 5}, {"output", 7}}));
}

TEST(Usage, of_grok_has_thoughts_beside_the_completion_and_the_charge_in_ticks) {
    const auto reading =
        read(R"({"model":"grok-4.20","usage":{"prompt_tokens":10120,"completion_tokens":1499,"total_tokens":14428,
        "prompt_tokens_details":{"cached_tokens":128,"text_tokens":10120,"image_tokens":0},"completion_tokens_details":{"reasoning_tokens":2809},
        "cost_in_usd_ticks":232856000}})",
             "xai");
    EXPECT_EQ(counts(reading), (Counts{{"input", 9992}, {"cache_read", 128}, {"output", 1499}, {"reasoning", 2809}}));
    ASSERT_TRUE(reading.charged);
    EXPECT_EQ(reading.charged->text(), "0.023285600000");
    // Where the total shows that they stand inside, they do.
    EXPECT_EQ(counts(read(R"({"usage":{"prompt_tokens":500,"completion_tokens":500,"total_tokens":1000,
        "completion_tokens_details":{"reasoning_tokens":200}}})",
                          "xai")),
              (Counts{{"input", 500}, {"output", 300}, {"reasoning", 200}}));
    EXPECT_EQ(
        counts(read(R"({"usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":2},"output_tokens":20,
        "output_tokens_details":{"reasoning_tokens":15},"total_tokens":30,
        "server_side_tool_usage_details":{"web_search_calls":2,"x_search_calls":3,"code_interpreter_calls":0}}})",
                    "xai")),
        (Counts{
            {"input", 8}, {"cache_read", 2}, {"output", 5}, {"reasoning", 15}, {"web_search", 2}, {"x_search", 3}}));
}

TEST(Usage, of_those_who_say_it_in_their_own_words) {
    EXPECT_EQ(
        counts(read(R"({"usage":{"completion_tokens":10,"prompt_cache_hit_tokens":60,"prompt_cache_miss_tokens":40}})",
                    "deepseek")),
        (Counts{{"input", 40}, {"cache_read", 60}, {"output", 10}}));
    EXPECT_EQ(
        counts(read(
            R"({"choices":[{"usage":{"prompt_tokens":19,"completion_tokens":21,"total_tokens":40,"cached_tokens":10}}]})",
            "moonshot")),
        (Counts{{"input", 9}, {"cache_read", 10}, {"output", 21}}));
    EXPECT_EQ(
        counts(read(
            R"({"usage":{"billed_units":{"input_tokens":5,"output_tokens":418},"tokens":{"input_tokens":71,"output_tokens":418}}})")),
        (Counts{{"input", 5}, {"output", 418}}));
    EXPECT_EQ(
        counts(read(R"({"results":[],"meta":{"api_version":{"version":"2"},"billed_units":{"search_units":1}}})")),
        (Counts{{"search_units", 1}}));
    EXPECT_EQ(counts(read(R"({"model":"llama3","done":true,"prompt_eval_count":26,"eval_count":298})")),
              (Counts{{"input", 26}, {"output", 298}}));
    EXPECT_EQ(
        counts(read(
            R"({"content":"x","tokens_evaluated":30,"tokens_predicted":8,"timings":{"cache_n":20,"prompt_n":10,"predicted_n":8}})")),
        (Counts{{"input", 10}, {"cache_read", 20}, {"output", 8}}));
    EXPECT_EQ(
        counts(read(
            R"({"x_groq":{"usage":{"prompt_tokens":18,"completion_tokens":556,"total_tokens":574,"queue_time":0.03}}})",
            "groq")),
        (Counts{{"input", 18}, {"output", 556}}));
    EXPECT_EQ(
        counts(read(
            R"({"pages":[],"model":"mistral-ocr-latest","usage_info":{"pages_processed":29,"doc_size_bytes":3002783}})")),
        (Counts{{"pages", 29}}));
    const auto sonar = read(
        R"({"usage":{"prompt_tokens":33,"completion_tokens":7163,"total_tokens":7196,"search_context_size":"medium","citation_tokens":20016,
        "num_search_queries":30,"reasoning_tokens":193944,"cost":{"input_tokens_cost":0.0,"total_cost":0.829}}})",
        "perplexity");
    EXPECT_EQ(
        counts(sonar),
        (Counts{{"input", 33}, {"output", 7163}, {"reasoning", 193944}, {"citation", 20016}, {"web_search", 30}}));
    EXPECT_EQ(sonar.charged->text(), "0.829000000000");
    EXPECT_EQ(sonar.service_tier, "medium");
}

TEST(Usage, of_a_gateway_that_mixes_forms_goes_by_the_total) {
    // Anthropic's words in OpenAI's shape, the cache inside the prompt, and beside it.
    EXPECT_EQ(
        counts(read(
            R"({"usage":{"prompt_tokens":1000,"completion_tokens":10,"total_tokens":1010,"cache_read_input_tokens":700,
        "cache_creation_input_tokens":200,"cache_creation":{"ephemeral_1h_input_tokens":50,"ephemeral_5m_input_tokens":150}}})")),
        (Counts{{"input", 100}, {"cache_read", 700}, {"cache_write", 150}, {"cache_write_1h", 50}, {"output", 10}}));
    EXPECT_EQ(
        counts(read(
            R"({"usage":{"prompt_tokens":100,"completion_tokens":10,"total_tokens":1010,"cache_read_input_tokens":700,
        "cache_creation_input_tokens":200}})")),
        (Counts{{"input", 100}, {"cache_read", 700}, {"cache_write", 200}, {"output", 10}}));
    EXPECT_EQ(counts(read(R"({"usage":{"prompt_tokens":194,"completion_tokens":2,"total_tokens":196,
        "prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":100,"audio_tokens":0}}})",
                          "openrouter")),
              (Counts{{"input", 94}, {"cache_write", 100}, {"output", 2}}));
}

TEST(Usage, said_under_several_names_is_the_most_of_them) {
    EXPECT_EQ(
        counts(read(
            R"({"usage":{"prompt_tokens":1000,"completion_tokens":10,"total_tokens":1010,"cache_read_input_tokens":700,
        "prompt_tokens_details":{"cached_tokens":0}}})")),
        (Counts{{"input", 300}, {"cache_read", 700}, {"output", 10}}));
}

TEST(Usage, that_contradicts_itself_has_a_result_and_a_warning) {
    const auto said = [](std::string_view body, const Counts& expected, std::string_view word) {
        const auto reading = read(body, "openai");
        EXPECT_EQ(counts(reading), expected) << body;
        std::string all;
        for (const auto& warning : reading.warnings) all += warning + "\n";
        EXPECT_NE(all.find(word), std::string::npos) << body << "\n" << all;
    };
    said(
        R"({"usage":{"prompt_tokens":100,"completion_tokens":1,"total_tokens":101,"prompt_tokens_details":{"cached_tokens":150}}})",
        {{"cache_read", 100}, {"output", 1}}, "more than");
    said(R"({"usage":{"prompt_tokens":"12","completion_tokens":3,"total_tokens":15}})", {{"input", 12}, {"output", 3}},
         "string");
    said(R"({"usage":{"prompt_tokens":12,"completion_tokens":-3}})", {{"input", 12}}, "negative");
    said(R"({"usage":{"prompt_tokens":12.4,"completion_tokens":3}})", {{"input", 12}, {"output", 3}}, "fraction");
    said(R"({"usage":{"prompt_tokens":true,"completion_tokens":3}})", {{"output", 3}}, "not a number");
    said(R"({"usage":{"prompt_tokens":1e300,"completion_tokens":0}})", {{"input", kMostCount}}, "over");
    said(
        R"({"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"completion_tokens_details":{"reasoning_tokens":5}}})",
        {{"input", 9}, {"reasoning", 3}}, "more than");
    said(R"({"usage":{"completion_tokens":3}})", {{"output", 3}}, "not said");
    said(R"({"usage":{"prompt_tokens":7,"total_tokens":10}})", {{"input", 7}, {"output", 3}}, "from the total");
    said(R"({"type":"message","usage":{"input_tokens":1,"output_tokens":1,"cache_creation_input_tokens":5,
        "cache_creation":{"ephemeral_5m_input_tokens":5,"ephemeral_1h_input_tokens":5}}})",
         {{"input", 1}, {"cache_write", 5}, {"cache_write_1h", 5}, {"output", 1}}, "adds up to");
}

TEST(Usage, of_searches_is_by_the_tool_and_its_sources) {
    EXPECT_EQ(counts(read(R"({"usage":{"prompt_tokens":1,"completion_tokens":1,"num_sources_used":3}})", "xai")),
              (Counts{{"input", 1}, {"output", 1}, {"search_sources", 3}}));
    const auto searched = [](std::string_view tool) {
        return counts(read(
            R"({"object":"response","model":"gpt-4o","tools":[{"type":")" + std::string(tool) +
            R"("}],"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2},"output":[{"type":"web_search_call"}]})"));
    };
    EXPECT_EQ(searched("web_search")["web_search"], 1);
    EXPECT_EQ(searched("web_search_preview_2025_03_11")["web_search_preview"], 1);
}

TEST(Usage, that_no_bucket_holds_is_warned_of) {
    const auto reading = read(
        R"({"object":"response","usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2},"output":[{"type":"image_generation_call"}]})");
    EXPECT_EQ(reading.warnings.size(), 1U);
}

TEST(Usage, says_its_time_in_every_shape) {
    for (
        const auto* body :
        {R"({"created":1752169304,"usage":{"prompt_tokens":1,"completion_tokens":1}})",
         R"([{"created":1752169304,"choices":[]},{"usage":{"prompt_tokens":1,"completion_tokens":1}}])",
         "data: {\"created\":1752169304,\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\ndata: [DONE]\n",
         R"({"type":"response.completed","response":{"created_at":1752169304,"usage":{"input_tokens":1,"output_tokens":1}}})",
         R"({"createTime":"2025-07-10T17:41:44Z","usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1}})"})
        EXPECT_EQ(read(body).time_ms, 1'752'169'304'000) << body;
}

TEST(Usage, shows_whose_it_is) {
    const auto whose = [](std::string_view body, std::string model = {}) {
        return read(body, {}, std::move(model)).provider;
    };
    EXPECT_EQ(whose(R"({"model":"openai/gpt-oss-120b","x_groq":{"id":"r"},"usage":{"prompt_tokens":1}})"), "groq");
    EXPECT_EQ(whose(R"({"usage":{"inputTokens":1,"outputTokens":1}})", "us.amazon.nova-pro-v1:0"), "bedrock");
    EXPECT_EQ(whose(R"({"embedding":[],"inputTextTokenCount":3})"), "bedrock");
    EXPECT_EQ(whose(R"({"usage":{"prompt_tokens":1,"cost_in_usd_ticks":5}})"), "xai");
    EXPECT_EQ(whose(R"({"model":"gpt-4o","usage":{"prompt_tokens":1}})"), "");
    EXPECT_EQ(whose(R"({"model":"x/y:free","usage":{"prompt_tokens":1}})"), "openrouter");
}

TEST(Usage, of_the_newer_words) {
    EXPECT_EQ(counts(read(R"({"object":"interaction","usage":{"total_input_tokens":100,"total_output_tokens":50,
        "total_thought_tokens":20,"total_cached_tokens":40,"total_tool_use_tokens":0,"total_tokens":170}})",
                          "google")),
              (Counts{{"input", 60}, {"cache_read", 40}, {"output", 50}, {"reasoning", 20}}));
    EXPECT_EQ(counts(read(R"({"generation":"x","prompt_token_count":5,"generation_token_count":7})", "bedrock")),
              (Counts{{"input", 5}, {"output", 7}}));
    EXPECT_EQ(
        counts(read(
            R"({"inputTokens":1000,"outputTokens":100,"cachedInputTokens":400,"reasoningTokens":30,"totalTokens":1100})")),
        (Counts{{"input", 600}, {"cache_read", 400}, {"output", 70}, {"reasoning", 30}}));
    EXPECT_EQ(
        counts(read(
            R"({"predictions":[{"embeddings":{"statistics":{"token_count":4}}},{"embeddings":{"statistics":{"token_count":2}}}]})")),
        (Counts{{"input", 6}}));
}

TEST(Usage, of_another_model_stands_beside) {
    const auto reading = read(R"({"type":"message","usage":{"input_tokens":10,"output_tokens":2,"iterations":[
        {"type":"message","input_tokens":10,"output_tokens":2},
        {"type":"advisor_message","model":"claude-opus-4-8","input_tokens":25,"output_tokens":3}]}})",
                              "anthropic");
    EXPECT_EQ(counts(reading), (Counts{{"input", 10}, {"output", 2}}));
    ASSERT_EQ(reading.others.size(), 1U);
    EXPECT_EQ(reading.others[0].model, "claude-opus-4-8");
    EXPECT_EQ(reading.others[0].buckets[Bucket::input], 25);
}

TEST(Usage, that_only_counts_is_none) {
    for (const auto* body :
         {R"({"input_tokens":1114})", R"({"inputTokens":12})",
          R"({"object":"response.input_tokens","input_tokens":11})", R"({"usage":{"total_tokens":12}})"})
        EXPECT_FALSE(read(body, "anthropic").found) << body;
    EXPECT_EQ(counts(read(R"({"name":"cachedContents/x","usageMetadata":{"totalTokenCount":3512}})", "google")),
              (Counts{{"input", 3512}}));
    EXPECT_EQ(counts(read(R"({"object":"list","model":"voyage-3.5","usage":{"total_tokens":12}})")),
              (Counts{{"input", 12}}));
}

TEST(Time, is_read_as_people_write_it) {
    for (const auto* text : {"2025-06-01T12:00:00Z", "Sun, 01 Jun 2025 12:00:00 GMT", "2025/06/01 12:00:00",
                             "20250601T120000Z", "2025-06-01 12:00:00 UTC"}) {
        json::Document document;
        ASSERT_TRUE(document.parse("{\"time\":\"" + std::string(text) + "\"}"));
        EXPECT_EQ(time_of(document.root()["time"]), 1'748'779'200'000) << text;
    }
    for (const auto* text : {"\"Sun, 01 Foo 2025 12:00:00 GMT\"", "\"\"", "\"Sun, \"", "{}"}) {
        json::Document document;
        ASSERT_TRUE(document.parse("{\"time\":" + std::string(text) + "}"));
        EXPECT_FALSE(time_of(document.root()["time"])) << text;
    }
}

TEST(Usage, that_is_not_there_is_not_0) {
    for (const auto* body :
         {"{}", R"({"usage":null})", R"({"usage":{}})", R"({"error":{"message":"x"}})", "[]", "3", "", "<html>",
          R"({"usage":[1]})", R"({"usage":{"prompt_tokens":null,"completion_tokens":null}})"}) {
        const auto reading = read(body);
        EXPECT_FALSE(reading.found) << body;
        EXPECT_FALSE(reading.warnings.empty()) << body;
    }
    EXPECT_TRUE(read(R"({"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}})").found);
}

TEST(Usage, in_a_line_of_a_batch_is_of_the_batch_tier) {
    const auto openai = read(
        R"({"custom_id":"a","response":{"status_code":200,"body":{"object":"chat.completion","usage":{"prompt_tokens":5,"completion_tokens":1}}}})");
    EXPECT_EQ(openai.service_tier, "batch");
    EXPECT_EQ(counts(openai), (Counts{{"input", 5}, {"output", 1}}));
    const auto anthropic = read(
        R"({"custom_id":"a","result":{"type":"succeeded","message":{"type":"message","usage":{"input_tokens":5,"output_tokens":1}}}})");
    EXPECT_EQ(anthropic.service_tier, "batch");
}

TEST(Usage, paid_with_ones_own_key_is_what_its_provider_took_and_the_fee) {
    const auto charged = [](std::string_view usage) {
        return read("{\"usage\":" + std::string(usage) + "}", "openrouter").charged;
    };
    EXPECT_EQ(
        charged(
            R"({"prompt_tokens":1,"completion_tokens":1,"cost":0.95,"cost_details":{"upstream_inference_cost":null}})")
            ->text(),
        "0.950000000000");
    EXPECT_EQ(
        charged(
            R"({"prompt_tokens":1,"completion_tokens":1,"cost":0.01,"is_byok":true,"cost_details":{"upstream_inference_cost":0.2}})")
            ->text(),
        "0.210000000000");
    EXPECT_FALSE(charged(R"({"prompt_tokens":1,"completion_tokens":1,"cost":0,"is_byok":true})"));
}

TEST(Names, of_providers_have_one_id) {
    for (const auto& [name, id] : std::map<std::string, std::string>{{"Azure OpenAI", "azure"},
                                                                     {"azure_openai", "azure"},
                                                                     {"vertex_ai", "vertex"},
                                                                     {"google-ai-studio", "google"},
                                                                     {"x-ai", "xai"},
                                                                     {"AWS Bedrock", "bedrock"},
                                                                     {"together_ai", "together"},
                                                                     {"MoonshotAI", "moonshot"},
                                                                     {"My Gateway", "my gateway"}})
        EXPECT_EQ(provider_id(name), id);
}

}  // namespace
}  // namespace tandem::prices
