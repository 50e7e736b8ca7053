using System.Globalization;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>What a machine has said of itself.</summary>
internal sealed record RemoteFacts
{
    private const int MostOfText = 500;

    /// <summary>As .NET calls it; null where no agent can be there.</summary>
    public string? Platform { get; private init; }

    /// <summary>Its own name for what it is, as <c>uname</c> says it.</summary>
    public string System { get; private init; } = "";

    /// <summary>Programs that are needed and not there.</summary>
    public IReadOnlyList<string> Missing { get; private init; } = [];

    /// <summary>Free bytes; null where nobody knows.</summary>
    public long? Free { get; private init; }

    /// <summary>The build that is used; null for none.</summary>
    public string? Current { get; private init; }

    /// <summary>The build before; null for none.</summary>
    public string? Before { get; private init; }

    /// <summary>All builds that are there, whether they are whole or not.</summary>
    public IReadOnlyList<string> Builds { get; private init; } = [];

    /// <summary>Whether somebody who was killed has left something half, or is at work.</summary>
    public bool HasRemains { get; private init; }

    /// <summary>What the version that is used says of itself; null for nothing.</summary>
    public string? Answer { get; private init; }

    /// <summary>The program's path.</summary>
    public string? Program { get; private init; }

    /// <summary>What is in the way of the link in <c>~/.local/bin</c>.</summary>
    public string? Foreign { get; private init; }

    /// <summary>Whether the version that is used answers as what it is.</summary>
    public bool Works => RemoteNames.VersionOf(Current) is { } version && Answer == version;

    /// <summary>Reads them. What is no name of ours is taken for nothing.</summary>
    public static RemoteFacts Read(ScriptAnswer answer) => new()
    {
        Platform = PlatformOf(answer["system"], answer["machine"], answer["libc"] == "musl"),
        System = Line($"{answer["system"]} {answer["machine"]}"),
        Missing = [.. answer.All("missing").Select(Line)],
        Free = answer.Free,
        Current = Build(answer["current"]),
        Before = Build(answer["before"]),
        Builds = [.. answer.All("has").Where(name => Build(name) is not null)],
        HasRemains = answer.All("left").Count > 0 || answer.All("has").Count > 2,
        Answer = answer["version"] is { } said ? Line(said) : null,
        Program = answer["program"] is { } path ? Line(path) : null,
        Foreign = answer["foreign"] is { } foreign ? Line(foreign) : null,
    };

    /// <summary>Sees that an agent can be there.</summary>
    /// <exception cref="BackupException">AgentMachineUnsuitable.</exception>
    public void RequireSuitable(string host)
    {
        if (Platform is null)
        {
            throw RemoteErrors.Unsuitable(host, $"'uname' says that it is '{System}'", "An agent can be put on Linux (x64, arm64, arm) and macOS (x64, arm64). Back up other systems over a share.");
        }

        if (Missing.Count > 0)
        {
            throw RemoteErrors.Unsuitable(host, $"it has no {string.Join(", no ", Missing)}", "Install what is missing; each is in the base of every distribution (coreutils, tar, gzip, grep).");
        }
    }

    /// <summary>The platform's name; null for one on which no agent can be.</summary>
    internal static string? PlatformOf(string? system, string? machine, bool isMusl)
    {
        string? processor = machine switch
        {
            "x86_64" or "amd64" => "x64",
            "aarch64" or "arm64" => "arm64",
            "armv7l" or "armv8l" => "arm",
            _ => null,
        };
        return (system, processor) switch
        {
            (_, null) => null,
            ("Linux", _) => $"linux{(isMusl ? "-musl" : "")}-{processor}",
            ("Darwin", not "arm") => $"osx-{processor}",
            _ => null,
        };
    }

    /// <summary>A text of a machine as one line without anything that a terminal obeys.</summary>
    internal static string Line(string text)
    {
        string line = string.Concat(text.Select(c => char.IsControl(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.Surrogate ? ' ' : c)).Trim();
        return line.Length > MostOfText ? line[..MostOfText] : line;
    }

    private static string? Build(string? name) => RemoteNames.VersionOf(name) is null ? null : name;
}
