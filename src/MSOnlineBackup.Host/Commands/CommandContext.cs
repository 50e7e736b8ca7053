using System.CommandLine;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Host.Terminal;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;

namespace MSOnlineBackup.Host.Commands;

/// <summary>One run of a command: what was typed, where it runs, how it speaks, when it must stop.</summary>
internal sealed record CommandContext(ParseResult Parsed, HostEnvironment Environment, IRenderer Renderer, CancellationToken Stop)
{
    /// <summary>What the engine gets.</summary>
    public VaultOptions VaultOptions => new()
    {
        TimeProvider = Environment.Time,
        IndexCacheFolder = Environment.CacheFolder,
        ReadsLogicalVolumes = PolicyLimits.Find(Environment.Variable("MSONLINEBACKUP_PROFILE") ?? "") is not { ReadsLogicalVolumes: false },
    };

    /// <summary>Whether the flag was given.</summary>
    public bool Has(Option<bool> flag) => Parsed.GetValue(flag);

    /// <summary>The value of an option; null where it was not given.</summary>
    public string? Get(Option<string?> option) => Parsed.GetValue(option);

    /// <summary>The values of an option.</summary>
    public IReadOnlyList<string> Get(Option<string[]> option) => Parsed.GetValue(option) ?? [];

    /// <summary>The value of a required argument.</summary>
    public string Get(Argument<string> argument) => Parsed.GetRequiredValue(argument);

    /// <summary>The value of an optional argument.</summary>
    public string? GetOptional(Argument<string?> argument) => Parsed.GetValue(argument);

    /// <summary>The values of an argument.</summary>
    public IReadOnlyList<string> Get(Argument<string[]> argument) => Parsed.GetValue(argument) ?? [];

    /// <summary>The value of an option that takes a time, such as 90s, 30m, 12h or 7d; null where it was not given.</summary>
    /// <exception cref="BackupException">ArgumentInvalid.</exception>
    public TimeSpan? GetDuration(Option<string?> option) => Get(option) is not { } text ? null
        : Quantity.TryParseDuration(text, out TimeSpan duration) ? duration
        : throw Invalid($"'{text}' is not a time for {option.Name}.", "Write a whole number with a unit: 90s, 30m, 12h, 7d.", text);

    /// <summary>Local time with its zone.</summary>
    public string LocalTime(DateTimeOffset time) => Quantity.Time(time, Environment.Time.LocalTimeZone);

    /// <summary>An error in what was typed.</summary>
    public BackupException Invalid(string message, string? action = null, string? target = null) => new(
        BackupErrorId.ArgumentInvalid, message, action ?? $"See '{CommandName} --help'.", target);

    private string CommandName => Application.NameOf(Parsed.CommandResult.Command);
}
