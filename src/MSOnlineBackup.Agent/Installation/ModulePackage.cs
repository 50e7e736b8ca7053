using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Installation;

/// <summary>A package of the module, whose bytes were compared with the hashes beside it, or with those that it holds.</summary>
public sealed partial class ModulePackage : IDisposable
{
    private const long MaxFile = 256 << 20;

    private readonly ZipArchive _archive;

    private ModulePackage(string path, ZipArchive archive)
    {
        Path = path;
        _archive = archive;
        Hashes = FileHashes.Parse(ReadEntry(InstalledModule.ListName), $"{path}/{InstalledModule.ListName}");
        Version = VersionIn(ReadEntry(InstalledModule.ManifestName)) ?? throw PackageErrors.Invalid(
            path, $"its {InstalledModule.ManifestName} names no version");
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Which version it is of, as in "1.2.3".</summary>
    public string Version { get; }

    /// <summary>The files that it ships.</summary>
    public FileHashes Hashes { get; }

    /// <summary>Opens a package: a .nupkg or .zip file. Where a file of its name with <c>.sha256</c> behind lies beside it, its bytes are compared with
    /// that first.</summary>
    /// <param name="path">Its absolute path.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">PackageInvalid: it is damaged or none; ArgumentInvalid: it is not there.</exception>
    public static async Task<ModulePackage> OpenAsync(string path, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        FileStream file;
        try
        {
            await CompareAsync(path, cancellationToken).ConfigureAwait(false);
            file = File.OpenRead(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                $"The package '{path}' cannot be read: {e.Message.TrimEnd('.')}.",
                "Name a package of MSOnlineBackup: a .nupkg or .zip file. A repair needs that of the version that is installed.",
                path,
                innerException: e);
        }

        ZipArchive? archive = null;
        try
        {
            archive = new ZipArchive(file, ZipArchiveMode.Read);
            return new ModulePackage(path, archive);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or BackupException)
        {
            archive?.Dispose();
            await file.DisposeAsync().ConfigureAwait(false);
            throw e is BackupException ? e : PackageErrors.Invalid(path, "it is damaged, or no package", e);
        }
    }

    /// <summary>The bytes of a file in it, which were compared with its hash.</summary>
    /// <exception cref="BackupException">PackageInvalid.</exception>
    public byte[] Read(string file)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        byte[] content = ReadEntry(file);
        return file == InstalledModule.ListName || Hashes.Hashes.GetValueOrDefault(file) == Convert.ToHexStringLower(SHA256.HashData(content))
            ? content
            : throw PackageErrors.Invalid(Path, $"its file '{file}' is not the one that its list of hashes names");
    }

    /// <summary>Compares all of it with its hashes, and sees that it is a package of this module.</summary>
    /// <exception cref="BackupException">PackageInvalid.</exception>
    public void RequireWhole()
    {
        if (!IdentityLine().Match(Encoding.UTF8.GetString(Read(InstalledModule.ManifestName))).Groups["id"].Value.Equals(InstalledModule.Identity, StringComparison.OrdinalIgnoreCase))
        {
            throw PackageErrors.Invalid(Path, "it is a package of another module");
        }

        if (!System.Version.TryParse(Version, out _))
        {
            throw PackageErrors.Invalid(Path, $"'{Version}' is no version");
        }

        foreach (string file in Hashes.Hashes.Keys)
        {
            _ = Read(file);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _archive.Dispose();

    /// <summary>The version that a module's manifest names; null where it names none.</summary>
    internal static string? VersionIn(byte[] manifest) => VersionLine().Match(Encoding.UTF8.GetString(manifest)) is { Success: true } found
        ? found.Groups["version"].Value : null;

    [GeneratedRegex(@"^\s*ModuleVersion\s*=\s*'(?<version>[0-9.]+)'", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex VersionLine();

    [GeneratedRegex(@"^\s*GUID\s*=\s*'(?<id>[0-9A-Fa-f-]+)'", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex IdentityLine();

    private static async Task CompareAsync(string path, CancellationToken cancellationToken)
    {
        string list = path + ".sha256";
        if (!File.Exists(list))
        {
            return;
        }

        var hashes = FileHashes.Parse(await File.ReadAllBytesAsync(list, cancellationToken).ConfigureAwait(false), list);
        if (hashes.Hashes.GetValueOrDefault(System.IO.Path.GetFileName(path)) is not { } hash)
        {
            throw PackageErrors.Invalid(path, $"'{list}' does not name it");
        }

        if (await FileHashes.OfFileAsync(path, cancellationToken).ConfigureAwait(false) is { } found && found != hash)
        {
            throw PackageErrors.Invalid(path, $"its SHA-256 is {found}, and '{list}' says {hash}: it was damaged on its way, or changed");
        }
    }

    // The names in a package may be escaped, as those of URLs are.
    private byte[] ReadEntry(string file)
    {
        ZipArchiveEntry? entry = _archive.GetEntry(file) ?? _archive.Entries.FirstOrDefault(entry => Uri.UnescapeDataString(entry.FullName) == file);
        if (entry is null || entry.Length > MaxFile)
        {
            throw PackageErrors.Invalid(Path, $"it has no file '{file}'");
        }

        try
        {
            using Stream content = entry.Open();
            byte[] bytes = new byte[entry.Length];
            content.ReadExactly(bytes);
            return content.ReadByte() < 0 ? bytes : throw PackageErrors.Invalid(Path, $"its file '{file}' is longer than it says");
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw PackageErrors.Invalid(Path, $"its file '{file}' is damaged", e);
        }
    }
}
