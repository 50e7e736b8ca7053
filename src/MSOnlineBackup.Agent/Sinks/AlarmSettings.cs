using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Sinks;

/// <summary>What a place is, where alarms go.</summary>
public enum SinkKind
{
    /// <summary>Mail, by SMTP.</summary>
    Mail,

    /// <summary>A request to a web address: Slack, Teams, or anything that takes JSON.</summary>
    Webhook,

    /// <summary>A check of healthchecks.io, or of what speaks as it does.</summary>
    Healthchecks,

    /// <summary>A program on this machine.</summary>
    Command,

    /// <summary>The system's log of this machine.</summary>
    SystemLog,
}

/// <summary>How a mail server is spoken to.</summary>
public enum MailSecurity
{
    /// <summary>In the clear until TLS is agreed on, which is required.</summary>
    StartTls,

    /// <summary>By TLS from the first byte.</summary>
    Tls,

    /// <summary>In the clear: for a server on this machine.</summary>
    None,
}

/// <summary>What a web address is sent.</summary>
public enum WebhookFormat
{
    /// <summary>All fields, as docs/operations.md has them.</summary>
    Json,

    /// <summary>What Slack, Mattermost and others take: <c>text</c>.</summary>
    Slack,

    /// <summary>An adaptive card, as workflows of Teams take it.</summary>
    Teams,
}

/// <summary>A place where alarms go. What a kind does not need stays null.</summary>
public sealed record SinkSettings
{
    /// <summary>What it is.</summary>
    public required SinkKind Kind { get; init; }

    /// <summary>What it is called, each by another name.</summary>
    public required string Name { get; init; }

    /// <summary>Of mail: the server.</summary>
    public string? Server { get; init; }

    /// <summary>Of mail: its port; null for what is usual.</summary>
    public int? Port { get; init; }

    /// <summary>Of mail: how it is spoken to.</summary>
    public MailSecurity Security { get; init; }

    /// <summary>Of mail: who logs in; null for nobody.</summary>
    public string? User { get; init; }

    /// <summary>Of mail: the password. A secret.</summary>
    public string? Password { get; init; }

    /// <summary>Of mail: the sender.</summary>
    public string? From { get; init; }

    /// <summary>Of mail: the receivers.</summary>
    public IReadOnlyList<string>? To { get; init; }

    /// <summary>Of a web address and a check: where. A secret: whoever knows it can use it.</summary>
    public string? Url { get; init; }

    /// <summary>Of a web address: what it is sent.</summary>
    public WebhookFormat Format { get; init; }

    /// <summary>Of a check: whether it stands for the backups of this machine, which ping it when they start, succeed and fail; else it stands for the watcher.</summary>
    public bool Runs { get; init; }

    /// <summary>Of a check: whether it is sent the messages, too. They name machines.</summary>
    public bool Logs { get; init; }

    /// <summary>Of a program: its absolute path.</summary>
    public string? Path { get; init; }

    /// <summary>Of a program: its arguments.</summary>
    public IReadOnlyList<string>? Arguments { get; init; }

    /// <summary>Whether it is told of each backup that came, too.</summary>
    public bool Successes { get; init; }

    /// <summary>Where it is, without what is secret: a server, a host or a program; empty for the system's log.</summary>
    public string Describe() => Server ?? (Url is { } url ? new Uri(url).IdnHost : Path) ?? "";
}

/// <summary>Where alarms go, and how often.</summary>
public sealed record AlarmSettings
{
    /// <summary>The longest time between two messages of the same: a year.</summary>
    public const int MostHours = 8760;

    // Far more than anybody writes by hand.
    private const int MaxLength = 1 << 20;

    private const int UsualRepeatHours = 24;
    private const int UsualHeartbeatHours = 168;

    /// <summary>Where.</summary>
    public required IReadOnlyList<SinkSettings> Sinks { get; init; }

    /// <summary>After how many hours what is still wrong is told again; 0 for never, null for 24.</summary>
    public int? RepeatHours { get; init; }

    /// <summary>After how many hours the watcher says that it lives; 0 for never, null for 168. A check is told with each look.</summary>
    public int? HeartbeatHours { get; init; }

    /// <summary>After what time what is still wrong is told again; zero for never.</summary>
    [JsonIgnore]
    public TimeSpan Repeat => TimeSpan.FromHours(RepeatHours ?? UsualRepeatHours);

    /// <summary>After what time the watcher says that it lives; zero for never.</summary>
    [JsonIgnore]
    public TimeSpan Heartbeat => TimeSpan.FromHours(HeartbeatHours ?? UsualHeartbeatHours);

    /// <summary>Reads them from a file.</summary>
    /// <param name="file">Its absolute path.</param>
    /// <exception cref="BackupException">ArgumentInvalid: it cannot be read; AlarmSettingsInvalid.</exception>
    public static AlarmSettings ReadFile(string file)
    {
        byte[] json;
        try
        {
            json = new FileInfo(file).Length > MaxLength ? throw new IOException("It is far too large.") : File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(BackupErrorId.ArgumentInvalid, $"'{file}' cannot be read: {e.Message}", "Name a file that is there.", file, innerException: e);
        }

        return Parse(json, file);
    }

    /// <summary>Reads them from the text of a file.</summary>
    /// <exception cref="BackupException">AlarmSettingsInvalid.</exception>
    public static AlarmSettings Parse(ReadOnlySpan<byte> json, string file)
    {
        AlarmSettings? settings;
        try
        {
            settings = JsonSerializer.Deserialize(json, AlarmSettingsJson.Default.AlarmSettings);
        }
        catch (JsonException e)
        {
            throw Invalid(file, e.Message, e);
        }

        return settings?.Fault is { } fault ? throw Invalid(file, fault) : settings ?? throw Invalid(file, "it is empty");
    }

    /// <summary>The same, with a place more, or another in the stead of the one of its name.</summary>
    internal AlarmSettings With(SinkSettings sink) => this with { Sinks = [.. Sinks.Where(other => !IsNamed(other, sink.Name)), sink] };

    /// <summary>The same, without a place.</summary>
    internal AlarmSettings Without(string name) => this with { Sinks = [.. Sinks.Where(other => !IsNamed(other, name))] };

    internal static bool IsNamed(SinkSettings sink, string name) => string.Equals(sink.Name, name, StringComparison.OrdinalIgnoreCase);

    internal string? Fault =>
        RepeatHours is < 0 or > MostHours || HeartbeatHours is < 0 or > MostHours ? "repeatHours and heartbeatHours may be 0 to 8,760"
        : Sinks.Any(sink => sink is null) ? "an entry is empty"
        : Sinks.GroupBy(sink => sink.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(same => same.Count() > 1) is { } twice ? $"two places are called '{twice.Key}'"
        : Sinks.Select(FaultOf).FirstOrDefault(fault => fault is not null);

    private static string? FaultOf(SinkSettings sink)
    {
        string? fault = sink switch
        {
            { Name: "" } => "it has no name",
            _ when (sink.To ?? []).Concat(sink.Arguments ?? []).Any(text => text is null) => "a receiver or an argument is empty",
            { Kind: SinkKind.Mail } when string.IsNullOrEmpty(sink.Server) || string.IsNullOrEmpty(sink.From) || sink.To is not { Count: > 0 } => "mail needs server, from and to",
            { Kind: SinkKind.Mail } when sink.Port is < 1 or > 65_535 => "the port may be 1 to 65,535",
            { Kind: SinkKind.Mail } when sink.User is null != sink.Password is null => "user and password go together",
            { Kind: SinkKind.Webhook or SinkKind.Healthchecks } when !IsWeb(sink.Url) => "url is no http or https address",
            { Kind: SinkKind.Command } when sink.Path is null || !System.IO.Path.IsPathFullyQualified(sink.Path) => "path is no absolute path",
            _ => null,
        };
        return fault is null ? null : $"'{sink.Name}': {fault}";
    }

    private static bool IsWeb(string? url) => Uri.TryCreate(url, UriKind.Absolute, out Uri? web) && (web.Scheme == Uri.UriSchemeHttps || web.Scheme == Uri.UriSchemeHttp);

    private static BackupException Invalid(string file, string why, Exception? inner = null) => new(
        BackupErrorId.AlarmSettingsInvalid,
        $"'{file}' does not say where alarms go: {why.TrimEnd('.')}.",
        "Correct it, and run 'obengine alarm set FILE' again.",
        file,
        innerException: inner);
}

/// <summary>The settings on disk, sealed by the machine's secret: passwords and addresses are in them.</summary>
internal sealed class AlarmSettingsStore(StateFolder folder)
{
    private const string Name = "alarms.json";
    private const string Purpose = "alarm settings";

    private readonly StateFile<AlarmState> _file = new(folder, Name, AlarmSettingsJson.Default.AlarmState, "delete it and run 'obengine alarm set' again");
    private readonly MachineSecret _secret = new(folder, ISecretProtection.Current);

    /// <summary>What was set; null for nothing.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied, AlarmSettingsInvalid.</exception>
    public AlarmSettings? Read() => Open(_file.Read());

    /// <summary>Changes them, and nobody else does in between.</summary>
    /// <returns>The new ones.</returns>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied, AlarmSettingsInvalid, and what the change throws: nothing is changed then.</exception>
    public AlarmSettings Change(Func<AlarmSettings?, AlarmSettings> change)
    {
        AlarmSettings changed = null!;
        _file.Update(state => Seal(changed = change(Open(state))));
        return changed;
    }

    private AlarmSettings? Open(AlarmState? state)
    {
        if (state is null)
        {
            return null;
        }

        string json = _secret.TryUnwrap(Purpose, folder.Path, state.Sealed) ?? throw new BackupException(
            BackupErrorId.StateInvalid,
            $"'{folder.PathOf(Name)}' cannot be decrypted: it or the machine's secret was changed, or comes from another machine.",
            "Delete that file and run 'obengine alarm set' again.",
            folder.PathOf(Name));
        return AlarmSettings.Parse(System.Text.Encoding.UTF8.GetBytes(json), folder.PathOf(Name));
    }

    /// <summary>Sets them; null for none.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public void Write(AlarmSettings? settings)
    {
        if (settings is null)
        {
            folder.Update(Name, _ => null);
            return;
        }

        _file.Replace(Seal(settings));
    }

    private AlarmState Seal(AlarmSettings settings) => new(_secret.Wrap(Purpose, folder.Path, JsonSerializer.Serialize(settings, AlarmSettingsJson.Default.AlarmSettings)));
}

/// <summary>What <c>alarms.json</c> holds.</summary>
internal sealed record AlarmState(byte[] Sealed);

/// <summary>The serialisers, generated when the agent is built.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true)]
[JsonSerializable(typeof(AlarmSettings))]
[JsonSerializable(typeof(AlarmState))]
internal sealed partial class AlarmSettingsJson : JsonSerializerContext;
