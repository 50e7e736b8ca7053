using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.VirtualMachines.Changes;
using MSOnlineBackup.VirtualMachines.Nbd;
using MSOnlineBackup.VirtualMachines.Sockets;

namespace MSOnlineBackup.VirtualMachines.Images;

/// <summary>
/// A disk of a machine that is off, by the file of its image. A raw file is read as it is; others through qemu-nbd, which reads alone and ends with the connection to it. A qcow2 image that has a record of what
/// changed since a recovery point tells that.
/// </summary>
public sealed class OfflineDisk : ISourceDisk
{
    private const string Export = "disk";
    private const string Raw = "raw";
    private const int MostWaits = 2000;

    private static readonly TimeSpan _wait = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);

    private readonly string _format;
    private readonly string _mark;
    private readonly ISourceDisk _content;
    private readonly OfflineImage? _image;
    private readonly Process? _server;
    private readonly (long Length, DateTime Written) _seen;
    private bool _isClosed;

    private OfflineDisk(string file, string format, string mark, ISourceDisk content, OfflineImage? image, Process? server, (long Length, DateTime Written) seen, string? note) =>
        (File, _format, _mark, _content, _image, _server, _seen, Note) = (file, format, mark, content, image, server, seen, note);

    /// <summary>The file of its image.</summary>
    public string File { get; }

    /// <summary>Why it is not known what changed since the last backup, a sentence; null where that is known.</summary>
    public string? Note { get; }

    /// <inheritdoc/>
    public long Length => _content.Length;

    /// <inheritdoc/>
    public DiskChanges? Changes => _content.Changes;

    /// <summary>Whether its file was written since it was opened: then what was read is of no one moment.</summary>
    public bool WasWritten => Look(File) != _seen;

    /// <summary>Opens it.</summary>
    /// <param name="file">The file of its image.</param>
    /// <param name="format">The image's format: raw, qcow2, or another that qemu-nbd knows. It is not guessed: a guest can write to a raw disk what looks like another.</param>
    /// <param name="name">What the disk is called in recovery points of its machine; a record of what changed counts if it was made under this name.</param>
    /// <param name="workFolder">A folder for a socket, with a short path.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">SourceItemUnreadable; VirtualMachineProgramUnusable: also where a machine that runs has it.</exception>
    public static async Task<OfflineDisk> OpenAsync(string file, string format, string name, string workFolder, CancellationToken cancellationToken)
    {
        string mark = ChangeRecord.MarkOf(name);
        (long Length, DateTime Written) seen = Look(file);
        if (IsPlain(file, format))
        {
            return new OfflineDisk(file, format, mark, RawSourceDisk.Open(file), null, null, seen, "A raw image has no record of what changed.");
        }

        OfflineImage image = await OfflineImage.ReadAsync(file, format, cancellationToken).ConfigureAwait(false);
        (ChangeRecord? record, string? note) = Choose(image, mark);
        string socket = Path.Combine(Path.GetFullPath(workFolder), $"{ChangeRecord.Prefix}{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}.sock");
        LocalSocket.CheckPath(socket);
        string[] bitmap = record is { } named ? [$"--bitmap={named.Name}"] : [];
        Process server = ImageProgram.Start("qemu-nbd", ["--read-only", "--shared=2", $"--socket={socket}", $"--format={format}", $"--export-name={Export}", .. bitmap, file]);
        try
        {
            NbdSourceDisk content = await ConnectAsync(server, socket, file, record, cancellationToken).ConfigureAwait(false);
            return new OfflineDisk(file, format, mark, content, image, server, seen, note);
        }
        catch
        {
            ImageProgram.Stop(server);
            server.Dispose();
            throw;
        }
        finally
        {
            // Who is connected stays so, and nobody else is to come.
            System.IO.File.Delete(socket);
        }
    }

    /// <summary>How large a disk is, in bytes.</summary>
    /// <param name="file">The file of its image.</param>
    /// <param name="format">Its format.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">SourceItemUnreadable, VirtualMachineProgramUnusable.</exception>
    internal static async Task<long> LengthOfAsync(string file, string format, CancellationToken cancellationToken)
    {
        (long length, _) = Look(file);
        return IsPlain(file, format) ? length : (await OfflineImage.ReadAsync(file, format, cancellationToken).ConfigureAwait(false)).Size;
    }

    /// <inheritdoc/>
    public bool TryGetDataRun(long offset, out long start, out long length) => _content.TryGetDataRun(offset, out start, out length);

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> destination) => _content.Read(offset, destination);

    /// <summary>
    /// Closes the disk, and has its image record what is written from now on as changed since a recovery point; the earlier record is dropped. Nothing where the image can have no record, and none was made
    /// where the file was written meanwhile.
    /// </summary>
    /// <param name="session">The recovery point that has the disk.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Whether there is a record now.</returns>
    /// <exception cref="BackupException">VirtualMachineProgramUnusable: most often the machine was started. The earlier record is there still, and right.</exception>
    public async Task<bool> CommitAsync(SessionId session, CancellationToken cancellationToken)
    {
        Dispose();
        if (_image is not { KeepsBitmaps: true } image || WasWritten)
        {
            return false;
        }

        var record = new ChangeRecord(session, Length, _mark);
        await ImageProgram.RunAsync("qemu-img", ["bitmap", "--add", "-g", $"{ChangeRecord.Granularity}", "-f", _format, File, record.Name], File, cancellationToken).ConfigureAwait(false);
        foreach ((ChangeRecord old, _) in image.Records)
        {
            await ImageProgram.RunAsync("qemu-img", ["bitmap", "--remove", "-f", _format, File, old.Name], File, CancellationToken.None).ConfigureAwait(false);
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _content.Dispose();
        if (_server is not null && !_isClosed)
        {
            _isClosed = true;

            // It holds the image's lock, which the next program needs.
            ImageProgram.Stop(_server);
            _server.WaitForExit();
            _server.Dispose();
        }
    }

    private static (ChangeRecord? Record, string? Note) Choose(OfflineImage image, string mark)
    {
        if (image.Records.Count == 0)
        {
            return (null, "The image has no record of what changed since an earlier backup.");
        }

        (ChangeRecord record, bool isUsable) = image.Records.MaxBy(found => found.Record.Session);
        return image.HasBacking ? (null, "The image is written over another, and what changed in that is not known.")
            : !isUsable ? (null, "The virtual machine ended before its record of what changed could be stored.")
            : record.Disk != mark ? (null, "At the last backup the disk had another name.")
            : record.Size > image.Size ? (null, "The disk is smaller than it was at the last backup.")
            : (record, null);
    }

    private static bool IsPlain(string file, string format) => format == Raw && (System.IO.File.GetAttributes(file) & (FileAttributes.Device | FileAttributes.Directory)) == 0;

    private static (long Length, DateTime Written) Look(string file)
    {
        try
        {
            var info = new FileInfo(file);
            return (info.Length, info.LastWriteTimeUtc);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(BackupErrorId.SourceItemUnreadable, $"The disk '{file}' cannot be read: {e.Message}", "Check its path.", file, innerException: e);
        }
    }

    // Its first connection is its last: nothing is tried before that. The socket is there a little earlier than it listens.
    private static async Task<NbdSourceDisk> ConnectAsync(Process server, string socket, string file, ChangeRecord? record, CancellationToken cancellationToken)
    {
        for (int waits = 0; ; waits++)
        {
            try
            {
                return await NbdSourceDisk.OpenAsync(
                    socket, Export, file, record is { } found ? (found.Name, found) : null, null, _patience, cancellationToken).ConfigureAwait(false);
            }
            catch (BackupException e) when (e.InnerException is SocketException && waits < MostWaits)
            {
                if (server.HasExited)
                {
                    throw ImageProgram.Failed("qemu-nbd", file, await server.StandardError.ReadToEndAsync(cancellationToken).ConfigureAwait(false));
                }
            }

            await Task.Delay(_wait, cancellationToken).ConfigureAwait(false);
        }
    }
}
