using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;

namespace MSOnlineBackup.Vaults.Groups;

/// <summary>The record of a group as UTF-8 JSON and back. Sealing is the vault's.</summary>
internal static class GroupCodec
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";
    private const int LongestName = 64;
    private const int LongestText = 4096;

    /// <summary>Encodes a record.</summary>
    /// <exception cref="BackupException">ArgumentInvalid: it is not one that could be read back.</exception>
    public static byte[] Encode(GroupRecord group) => FindFault(group) is { } fault
        ? throw new BackupException(BackupErrorId.ArgumentInvalid, $"The protection group '{group.Name}' cannot be kept: {fault}.", "Correct it, and try again.", group.Name)
        : JsonSerializer.SerializeToUtf8Bytes(
            new GroupJson(
                group.Id,
                group.Name,
                group.Changed.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture),
                group.IsRemoved,
                [.. group.Machines.Select(machine => new GroupMachineJson(machine.HostName, machine.UserName, machine.Port, machine.KeyFilePath, machine.HostKeyKind, machine.HostKey, machine.Platform, machine.AgentVersion, machine.AgentBuild, machine.Program))],
                group.DiskVaults,
                group.CopyTo,
                group.Policy,
                group.CopyRetention),
            GroupJsonContext.Default.GroupJson);

    /// <summary>Decodes a record. Fields that are not known are passed over.</summary>
    /// <param name="content">The JSON.</param>
    /// <param name="name">The stored object that it came from, for messages.</param>
    /// <exception cref="BackupException">VaultDataCorrupt.</exception>
    public static GroupRecord Decode(ReadOnlySpan<byte> content, string name)
    {
        GroupJson? json;
        try
        {
            json = JsonSerializer.Deserialize(content, GroupJsonContext.Default.GroupJson);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter for names that are no text, such as half a surrogate pair.
            throw VaultDamage.Corrupt(name, "it is not the JSON of a protection group", e);
        }

        if (json is not { Id: { } id, Name: { } called, Changed: { } changed }
            || !DateTimeOffset.TryParseExact(changed, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            || json.Machines?.All(machine => machine is { HostName: not null }) == false
            || (json.DiskVaults ?? []).Concat(json.CopyTo ?? []).Any(place => place is null))
        {
            throw VaultDamage.Corrupt(name, "a field of it is missing, or is not what it should be");
        }

        var group = new GroupRecord
        {
            Id = id,
            Name = called,
            Changed = time,
            IsRemoved = json.IsRemoved,
            Machines = [.. (json.Machines ?? []).Select(machine => Machine(machine!))],
            DiskVaults = [.. (json.DiskVaults ?? []).Select(place => place!)],
            CopyTo = [.. (json.CopyTo ?? []).Select(place => place!)],
            Policy = json.Policy,
            CopyRetention = json.CopyRetention,
        };
        return FindFault(group) is { } fault ? throw VaultDamage.Corrupt(name, fault) : group;
    }

    private static GroupMachineRecord Machine(GroupMachineJson machine) => new()
    {
        HostName = machine.HostName!,
        UserName = machine.UserName,
        Port = machine.Port,
        KeyFilePath = machine.KeyFilePath,
        HostKeyKind = machine.HostKeyKind,
        HostKey = machine.HostKey,
        Platform = machine.Platform,
        AgentVersion = machine.AgentVersion,
        AgentBuild = machine.AgentBuild,
        Program = machine.Program,
    };

    // What it says becomes paths, arguments and lines of files: nothing in it may be more than what it seems.
    private static string? FindFault(GroupRecord group) =>
        !IdDigits.AreIn(group.Id) ? "its id is none"
        : string.IsNullOrWhiteSpace(group.Name) || group.Name.Length > LongestName || group.Name.Any(char.IsControl) ? "its name is empty, longer than 64 characters, or contains control characters"
        : group.Machines.Count > GroupRecord.MostMachines ? "it has too many machines"
        : group.DiskVaults.Count > GroupRecord.MostPlaces || group.CopyTo.Count > GroupRecord.MostPlaces ? "it has too many places"
        : group.Policy?.Length > GroupRecord.LongestPolicy || group.CopyRetention?.Length > GroupRecord.LongestPolicy ? "a policy in it is too long"
        : group.DiskVaults.Concat(group.CopyTo).Any(IsNoLine) || group.Machines.Any(HasNoLine) ? "a text in it is empty, too long, or contains control characters"
        : group.Machines.Any(machine => machine.Port is < 1 or > 65_535) ? "a port in it is none"
        : null;

    private static bool HasNoLine(GroupMachineRecord machine) => IsNoLine(machine.HostName)
        || new[] { machine.UserName, machine.KeyFilePath, machine.HostKeyKind, machine.HostKey, machine.Platform, machine.AgentVersion, machine.AgentBuild, machine.Program }.Any(text => text is not null && IsNoLine(text));

    private static bool IsNoLine(string text) => text.Length is 0 or > LongestText || text.Any(char.IsControl);
}

/// <summary>A group as JSON has it: everything optional until it is checked.</summary>
internal sealed record GroupJson(
    string? Id,
    string? Name,
    string? Changed,
    bool IsRemoved,
    IReadOnlyList<GroupMachineJson?>? Machines,
    IReadOnlyList<string?>? DiskVaults,
    IReadOnlyList<string?>? CopyTo,
    string? Policy,
    string? CopyRetention);

/// <summary>A machine of a group as JSON has it.</summary>
internal sealed record GroupMachineJson(
    string? HostName,
    string? UserName,
    int? Port,
    string? KeyFilePath,
    string? HostKeyKind,
    string? HostKey,
    string? Platform,
    string? AgentVersion,
    string? AgentBuild,
    string? Program);

/// <summary>The serialisers, generated when the engine is built.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false,
    MaxDepth = 8)]
[JsonSerializable(typeof(GroupJson))]
internal sealed partial class GroupJsonContext : JsonSerializerContext;
