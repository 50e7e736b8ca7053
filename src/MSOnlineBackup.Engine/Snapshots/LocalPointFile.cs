using System.Text.Json;
using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>
/// The file beside a record of snapshots that says which point they are. It is replaced as a whole, so that at any moment the snapshots stay by it, or are removed by the record.
/// </summary>
internal static class LocalPointFile
{
    private const string Extension = ".point";
    private const int Version = 1;

    /// <summary>The file that belongs to a record.</summary>
    public static string Of(string record) => Path.ChangeExtension(record, Extension);

    /// <summary>What it says; null where there is none, or none that this version can read.</summary>
    public static LocalPointState? Read(string record) => TryRead(record) is { Version: Version } state ? state : null;

    /// <summary>Whether the snapshots of a record stay. What a later version wrote down stays, too: it knows what it is.</summary>
    public static bool Stays(string record) => TryRead(record) is { } state && (state.Stays || state.Version > Version);

    /// <summary>Writes it: when it returns, that is durable.</summary>
    /// <exception cref="IOException">It cannot be written, or <see cref="UnauthorizedAccessException"/>; what was there is unchanged.</exception>
    public static void Write(string record, LocalPointState state) =>
        PrivateFile.Replace(Of(record), JsonSerializer.SerializeToUtf8Bytes(state, SnapshotJson.Default.LocalPointState));

    /// <summary>Removes it: the record's snapshots are left-overs from now on.</summary>
    public static void Delete(string record)
    {
        if (File.Exists(Of(record)))
        {
            File.Delete(Of(record));
            Durability.FlushFolder(Path.GetDirectoryName(record)!);
        }
    }

    private static LocalPointState? TryRead(string record)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Of(record)), SnapshotJson.Default.LocalPointState);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException or JsonException)
        {
            // Another account's, or damaged: what cannot be told cannot be restored from.
            return null;
        }
    }
}
