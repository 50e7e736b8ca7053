using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Statuses;

/// <summary>
/// What lets an observer read the statuses of a chunk store without its passphrase, and tell them from forged ones. It opens nothing else. It is a secret: whoever has it can read
/// statuses, and, if they may write to the vault, write false ones.
/// </summary>
public sealed class MonitoringCredential
{
    /// <summary>How the name of such a file ends.</summary>
    public const string Extension = ".MonitoringCredential";

    private const byte Version = 1;
    private const string Label = "MSONLINEBACKUP MONITORING CREDENTIAL";
    private const int MaxLength = 64 << 10;

    internal MonitoringCredential(string vaultId, MonitoringKey key) => (VaultId, Key) = (vaultId, key);

    /// <summary>The vault: 32 hexadecimal digits.</summary>
    public string VaultId { get; }

    /// <summary>The chunk store: 32 hexadecimal digits.</summary>
    public string Store => Key.StoreId.ToString();

    internal MonitoringKey Key { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="path">Also relative to the current folder.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">MonitoringCredentialInvalid.</exception>
    public static async Task<MonitoringCredential> ReadAsync(string path, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            var file = new FileInfo(path);
            return file is { Exists: true, Length: > MaxLength }
                ? throw Invalid(path, "it is far too large")
                : Decode(await File.ReadAllBytesAsync(file.FullName, cancellationToken).ConfigureAwait(false), path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Invalid(path, "there is no such file", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(path, $"it cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>Reads some files.</summary>
    /// <param name="paths">See <see cref="ReadAsync"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">MonitoringCredentialInvalid.</exception>
    public static async Task<IReadOnlyList<MonitoringCredential>> ReadAllAsync(IEnumerable<string> paths, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var credentials = new List<MonitoringCredential>();
        foreach (string path in paths)
        {
            credentials.Add(await ReadAsync(path, cancellationToken).ConfigureAwait(false));
        }

        return credentials;
    }

    /// <summary>Writes a new file, which only its owner may read.</summary>
    /// <exception cref="BackupException">MonitoringCredentialInvalid: it is there already, or cannot be written.</exception>
    public void Write(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            PrivateFile.Create(Path.GetFullPath(path), Encode());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.MonitoringCredentialInvalid,
                $"The monitoring credential cannot be written to '{path}': {e.Message.TrimEnd('.')}.",
                "Name a file that is not there, in a folder that you may write to.",
                path,
                innerException: e);
        }
    }

    internal byte[] Encode() => Encoding.ASCII.GetBytes(TextArmour.Encode(
        Label, [Version, .. JsonSerializer.SerializeToUtf8Bytes(new MonitoringCredentialContent(VaultId, Key.StoreId, Key.Key), MonitoringCredentialJson.Default.MonitoringCredentialContent)]));

    internal static MonitoringCredential Decode(ReadOnlySpan<byte> text, string path)
    {
        if (TextArmour.TryDecode(Label, text) is not { Length: > 0 } content)
        {
            throw Invalid(path, "it is corrupt, or is not a monitoring credential");
        }

        if (content[0] != Version)
        {
            throw Invalid(path, "it is corrupt, or a newer version of MSOnlineBackup made it");
        }

        try
        {
            MonitoringCredentialContent? said = JsonSerializer.Deserialize(content.AsSpan(1), MonitoringCredentialJson.Default.MonitoringCredentialContent);
            if (said is { Key.Length: MonitoringKey.Length } && IdDigits.AreIn(said.VaultId))
            {
                return new MonitoringCredential(said.VaultId, new MonitoringKey(said.Store, said.Key));
            }
        }
        catch (JsonException e)
        {
            throw Invalid(path, "what is in it is not a credential", e);
        }

        throw Invalid(path, "what is in it is not a credential");
    }

    internal static BackupException Invalid(string path, string why, Exception? inner = null) => new(
        BackupErrorId.MonitoringCredentialInvalid,
        $"The monitoring credential '{path}' cannot be used: {why}.",
        "Export it again with 'Export-OBMonitoringCredential' or 'obengine vault monitoring-credential', on a machine that has the passphrase.",
        path,
        innerException: inner);
}

/// <summary>What the file holds.</summary>
internal sealed record MonitoringCredentialContent(string VaultId, StoreId Store, byte[] Key);

/// <summary>The serialiser, generated when the assembly is built.</summary>
[JsonSerializable(typeof(MonitoringCredentialContent))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true, MaxDepth = CheckedJson.MaxDepth, AllowDuplicateProperties = false)]
internal sealed partial class MonitoringCredentialJson : JsonSerializerContext;
