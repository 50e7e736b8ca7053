using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Machine;

/// <summary>A file of the machine's state: <c>{ "version": 1, "content": … }</c>.</summary>
/// <param name="folder">Where it lies.</param>
/// <param name="name">Its name.</param>
/// <param name="type">What it holds.</param>
/// <param name="remedy">What to do where it is damaged, as the end of "Bring the file back from a copy, or …".</param>
internal sealed class StateFile<T>(StateFolder folder, string name, JsonTypeInfo<T> type, string remedy)
    where T : class
{
    private const int Version = 1;

    /// <summary>What it holds; null where there is no file.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public T? Read() => Decode(folder.Read(name));

    /// <summary>Changes what it holds, and returns it. Nobody else changes it in between.</summary>
    /// <exception cref="BackupException">StateInvalid, StateAccessDenied.</exception>
    public T Update(Func<T?, T> change)
    {
        T changed = null!;
        folder.Update(name, content =>
        {
            changed = change(Decode(content));
            return Encode(changed);
        });
        return changed;
    }

    /// <summary>Puts something in the place of what it holds, which may be damaged.</summary>
    /// <exception cref="BackupException">StateAccessDenied.</exception>
    public void Replace(T content) => folder.Update(name, _ => Encode(content));

    private byte[] Encode(T content)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteNumber("version", Version);
            writer.WritePropertyName("content");
            JsonSerializer.Serialize(writer, content, type);
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private T? Decode(byte[]? file)
    {
        if (file is null)
        {
            return null;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(file);
            if (document.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("version", out JsonElement number)
                && number.ValueKind == JsonValueKind.Number
                && number.TryGetInt32(out int version))
            {
                if (version > Version)
                {
                    throw new BackupException(
                        BackupErrorId.StateInvalid,
                        $"The state file '{folder.PathOf(name)}' has version {version}; this version of MSOnlineBackup reads up to {Version}.",
                        "Use the newer version of MSOnlineBackup that wrote it.",
                        folder.PathOf(name));
                }

                if (version == Version && root.TryGetProperty("content", out JsonElement content) && content.Deserialize(type) is { } read)
                {
                    return read;
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter for names that are no text, such as half a surrogate pair.
            throw Damaged(e);
        }

        throw Damaged(null);
    }

    private BackupException Damaged(Exception? inner) => new(
        BackupErrorId.StateInvalid,
        $"The state file '{folder.PathOf(name)}' is damaged: it is truncated, or is not a state file of this machine.",
        $"Restore the file from a copy, or {remedy}. Nothing in the vault is affected.",
        folder.PathOf(name),
        innerException: inner);
}
