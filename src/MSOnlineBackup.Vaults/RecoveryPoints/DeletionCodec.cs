using System.Globalization;
using System.Text.Json;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>A record of deletion as UTF-8 JSON and back. Sealing is the vault's.</summary>
internal static class DeletionCodec
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";

    /// <summary>Encodes a record.</summary>
    public static byte[] Encode(DeletionRecord record) => JsonSerializer.SerializeToUtf8Bytes(
        new DeletionJson(TextOf(record.State), record.Reason, TextOf(record.After), TextOf(record.Due), record.AgentVersion),
        RecoveryPointJsonContext.Default.DeletionJson);

    /// <summary>Decodes a record. Fields that are not known are passed over.</summary>
    /// <param name="content">The JSON.</param>
    /// <param name="name">The stored object that it came from, for messages.</param>
    /// <exception cref="BackupException">VaultDataCorrupt; VaultFormatUnsupported: a later version has decided something that this one does not know.</exception>
    public static DeletionRecord Decode(ReadOnlySpan<byte> content, string name)
    {
        DeletionJson? json;
        try
        {
            json = JsonSerializer.Deserialize(content, RecoveryPointJsonContext.Default.DeletionJson);
        }
        catch (JsonException e)
        {
            throw VaultDamage.Corrupt(name, "it is not the JSON of a record of deletion", e);
        }

        if (json is not { State: { } state, Reason: { } reason, AgentVersion: { } version } || reason.Length > RecoveryPointCodec.MaxTextLength)
        {
            throw VaultDamage.Corrupt(name, "a field of it is missing or too long");
        }

        return new DeletionRecord(StateOf(state, name), reason, version, TimeOf(json.After, "after", name), TimeOf(json.Due, "due", name));
    }

    private static string? TextOf(DateTimeOffset? time) => time?.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    private static DateTimeOffset? TimeOf(string? text, string field, string name) => text is null ? null
        : DateTimeOffset.TryParseExact(text, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time) ? time
        : throw VaultDamage.Corrupt(name, $"'{field}' is not a time");

    private static string TextOf(DeletionState state) => state switch
    {
        DeletionState.Deleted => "deleted",
        DeletionState.Restored => "restored",
        DeletionState.Gone => "gone",
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };

    private static DeletionState StateOf(string text, string name) => text switch
    {
        "deleted" => DeletionState.Deleted,
        "restored" => DeletionState.Restored,
        "gone" => DeletionState.Gone,
        _ => throw new BackupException(
            BackupErrorId.VaultFormatUnsupported,
            $"The record of deletion '{name}' says something that this version does not know.",
            "Use a newer version of MSOnlineBackup.",
            name),
    };
}
