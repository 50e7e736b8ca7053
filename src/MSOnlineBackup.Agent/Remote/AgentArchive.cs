using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>A package as it is sent: a compressed tar in a file of this machine without a name, made once and read for each machine.</summary>
internal sealed class AgentArchive : IDisposable
{
    private const int BufferLength = 256 << 10;

    private readonly FileStream _file;
    private readonly long _length;

    private AgentArchive(FileStream file) => (_file, _length) = (file, file.Length);

    /// <summary>Makes it.</summary>
    /// <param name="package">What is sent.</param>
    /// <param name="path">A name for the file, which goes at once where the system allows it, and else with this process.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">PackageInvalid: a file cannot be read, or there is no room for the archive.</exception>
    public static async Task<AgentArchive> MakeAsync(AgentPackage package, string path, CancellationToken cancellationToken)
    {
        FileStream? file = null;
        try
        {
            file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, BufferLength, OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None);
            if (!OperatingSystem.IsWindows())
            {
                File.Delete(path);
            }

            await using (var zipped = new GZipStream(file, CompressionLevel.Fastest, leaveOpen: true))
            await using (var tar = new TarWriter(zipped, TarEntryFormat.Ustar))
            {
                foreach (AgentFile one in package.Files)
                {
                    await WriteAsync(tar, one, cancellationToken).ConfigureAwait(false);
                }
            }

            await file.FlushAsync(cancellationToken).ConfigureAwait(false);
            return new AgentArchive(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw RemoteErrors.Package(path, $"the package cannot be put together ({e.Message.TrimEnd('.')})", e);
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    /// <summary>All of it, piece by piece; each is there until the next is asked for. Several may read at once.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        byte[] buffer = new byte[BufferLength];
        int read;
        for (long offset = 0; offset < _length; offset += read)
        {
            read = await RandomAccess.ReadAsync(_file.SafeFileHandle, buffer, offset, cancellationToken).ConfigureAwait(false);
            yield return read > 0 ? buffer.AsMemory(0, read) : throw new EndOfStreamException("The archive has become shorter.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static async Task WriteAsync(TarWriter tar, AgentFile file, CancellationToken cancellationToken)
    {
        await using Stream content = file.Content is { } made ? new MemoryStream(made) : File.OpenRead(file.Source!);
        var entry = new UstarTarEntry(TarEntryType.RegularFile, file.Path)
        {
            DataStream = content,
            ModificationTime = file.Source is { } source ? File.GetLastWriteTimeUtc(source) : new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero),
            Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead
                | (file.IsProgram ? UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute : 0),
        };
        await tar.WriteEntryAsync(entry, cancellationToken).ConfigureAwait(false);
    }
}
