using System.Text.Json.Serialization;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>How the agent of another machine stands.</summary>
public enum RemoteAgentState
{
    /// <summary>It is the version that this machine has, or that was last put there.</summary>
    Current,

    /// <summary>This machine has a newer version.</summary>
    Available,

    /// <summary>The machine could not be reached. The update is made by the next call that reaches it.</summary>
    Pending,

    /// <summary>A version is being put there.</summary>
    Updating,

    /// <summary>The last install or update failed or was interrupted. What was there before is still used.</summary>
    Failed,
}

/// <summary>What this machine knows of the agent that it has put on another machine.</summary>
public sealed record RemoteAgent
{
    /// <summary>The machine, and how it is logged in to.</summary>
    public required RemoteMachine Machine { get; init; }

    /// <summary>How it stands.</summary>
    public required RemoteAgentState State { get; init; }

    /// <summary>The pinned key of the host, as in <c>ED25519 SHA256:…</c>; null where none is.</summary>
    public string? HostKey { get; init; }

    /// <summary>What runs there, as .NET calls it: <c>linux-x64</c>; null while nobody knows.</summary>
    public string? Platform { get; init; }

    /// <summary>The version that is used there; null for none.</summary>
    public string? Version { get; init; }

    /// <summary>Which build of that version: the name of its folder there.</summary>
    public string? Build { get; init; }

    /// <summary>The version before, which can be gone back to; null for none.</summary>
    public string? PreviousVersion { get; init; }

    /// <summary>The program's path there, which stays the same through updates.</summary>
    public string? Program { get; init; }

    /// <summary>When the machine last answered; null for never.</summary>
    public DateTimeOffset? LastSeen { get; init; }

    /// <summary>Where it is Pending: the folder of the package that is to go there; null for this installation's own.</summary>
    public string? PendingPackage { get; init; }

    /// <summary>Where it is Pending: whether that may be older than what is there.</summary>
    public bool PendingMayBeOlder { get; init; }

    /// <summary>Why it is Pending or Failed; null otherwise.</summary>
    public string? Reason { get; init; }

    /// <summary>What in the machine's account is called obengine, and is not ours; null where the link of that name is.</summary>
    public string? ForeignProgram { get; init; }
}

/// <summary>What became of a call for one machine. It has an agent, a failure, or both: the agent as it was before.</summary>
/// <param name="HostName">The machine.</param>
/// <param name="Agent">How its agent stands now; null where there is none.</param>
/// <param name="Failure">What went wrong; null for nothing.</param>
public sealed record RemoteResult(string HostName, RemoteAgent? Agent, Vaults.Errors.BackupException? Failure);

/// <summary>What is put on machines.</summary>
public sealed record RemoteInstallOptions
{
    /// <summary>The folder of a package; null for this installation's own.</summary>
    public string? PackagePath { get; init; }

    /// <summary>Whether it may be older than what is there.</summary>
    public bool AllowDowngrade { get; init; }
}

/// <summary>The serialisers, generated when the agent is built.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(RemoteAgent))]
internal sealed partial class RemoteAgentJson : JsonSerializerContext;
