using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>What it means that a script on another machine did not do what it was to do.</summary>
internal static class ScriptFailure
{
    /// <summary>The error; null where it has done all.</summary>
    /// <param name="host">The machine.</param>
    /// <param name="answer">What it has said; null where it did not run.</param>
    /// <param name="words">All that was written.</param>
    /// <param name="wanted">The room that it needs, in bytes.</param>
    public static BackupException? Find(string host, ScriptAnswer? answer, RemoteWords words, long wanted)
    {
        if (answer is null)
        {
            return RemoteErrors.Unsuitable(
                host,
                $"the account's login runs no command with 'sh'{Said(words)}",
                "See that 'ssh HOST sh -c true' works for that account: no forced command in authorized_keys, a login shell, and a shell that is called sh.");
        }

        return !answer.IsWhole ? RemoteErrors.NotUpdated(host, $"what ran there ended before it was done{Said(words)}", "Run the same again.")
            : answer["failed"] is { } failed ? Explain(host, failed, RemoteFacts.Line(answer["words"] ?? "nothing"), answer.Free, wanted)
            : null;
    }

    private static BackupException Explain(string host, string failed, string words, long? free, long wanted) => failed switch
    {
        _ when words.Contains("No space left", StringComparison.OrdinalIgnoreCase) || words.Contains("quota exceeded", StringComparison.OrdinalIgnoreCase) =>
            RemoteErrors.NoSpace(host, $"~/{AgentScripts.Place}", wanted, free),
        "place" => RemoteErrors.Unsuitable(
            host, $"nothing can be put into '~/{AgentScripts.Place}' of that account ({words})", "Use an account whose home is there and can be written to (-UserName, --user)."),
        "busy" => RemoteErrors.NotUpdated(host, $"another is just at work there ({words})", "Run the same again. Where nobody is, remove '.lock' from that folder."),
        "unpack" => RemoteErrors.NotUpdated(host, $"what was sent could not be unpacked ({words})", "Run the same again. Where the line was cut, nothing else is to be done."),
        "hash" => RemoteErrors.NotUpdated(host, $"what is there is not what was sent, by its SHA-256 ({words})", "Run the same again. Where that says the same, look into the machine's disk and memory."),
        "version" => RemoteErrors.NotUpdated(
            host,
            $"the version does not answer there: {words}",
            "It may lack a library of the system (.NET needs libstdc++ and OpenSSL), or the account's home may not let programs run (noexec). docs/agents.md tells what is needed."),
        _ => RemoteErrors.NotUpdated(host, words, "Run the same again."),
    };

    private static string Said(RemoteWords words)
    {
        string said = RemoteFacts.Line(words.Error.Trim().Length > 0 ? words.Error : words.Output);
        return said.Length == 0 ? "" : $"; what it said is: {said}";
    }
}
