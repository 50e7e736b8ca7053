using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Win32.SafeHandles;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Mounts.Nbd;
using MSOnlineBackup.Platform.Folders;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.VirtualMachines.Images;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Sockets;

namespace MSOnlineBackup.VirtualMachines.Restores;

/// <summary>Writes a disk of a recovery point as the file of an image. What was never written, or holds zeros alone, takes no room.</summary>
/// <param name="point">The recovery point.</param>
/// <param name="monitor">Is told how far it is.</param>
internal sealed partial class DiskImageWriter(MachinePoint point, JobMonitor monitor)
{
    /// <summary>The formats that are written.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["qcow2", "raw"];

    private const int Piece = 8 << 20;
    private const int MostPieces = 3;
    private const int LastOfText = 64;

    /// <summary>Writes it to a new file, and has it durable. Where it fails, the file is removed.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="file">The file, which is not there yet.</param>
    /// <param name="format">One of <see cref="Formats"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">
    /// VaultDataCorrupt, VaultDataMissing, …: the point lacks blocks of the disk, which the message names. RestoreTargetFull, RestoreTargetUnwritable. VirtualMachineProgramUnusable: qemu-img, for what is not raw.
    /// </exception>
    public async Task WriteAsync(MachineDisk disk, string file, string format, CancellationToken cancellationToken)
    {
        monitor.WorkOn(() => disk.Name);
        bool isWhole = false;
        try
        {
            ViewItem item = await point.FindAsync(disk, cancellationToken).ConfigureAwait(false);
            if (format == "raw")
            {
                await WriteRawAsync(item, file, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await ConvertAsync(item, file, format, cancellationToken).ConfigureAwait(false);
            }

            using (SafeFileHandle written = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite))
            {
                Durability.Flush(written);
            }

            monitor.AddItem(isFile: true);
            isWhole = true;
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VaultDataCorrupt or BackupErrorId.VaultDataMissing or BackupErrorId.RestoreItemFailed)
        {
            throw new BackupException(e.Id, $"The disk '{disk.Name}' cannot be restored, for the recovery point has not all of it: {e.Message}", e.RecommendedAction, disk.Name, innerException: e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw RestoreFiles.Failed(file, e);
        }
        finally
        {
            if (!isWhole)
            {
                RestoreFiles.TryDelete(file);
            }
        }
    }

    private async Task WriteRawAsync(ViewItem item, string file, CancellationToken cancellationToken)
    {
        using SafeFileHandle handle = File.OpenHandle(file, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        RandomAccess.SetLength(handle, item.Entry.Size);
        await Parallel.ForEachAsync(
            ListPiecesAsync(item, cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = MostPieces, CancellationToken = cancellationToken },
            async (piece, stop) =>
            {
                byte[] bytes = new byte[piece.Length];
                int read = await point.View.ReadAsync(item.Id, piece.Offset, bytes, stop).ConfigureAwait(false);
                if (read != piece.Length)
                {
                    throw new InvalidDataException($"Of {piece.Length} bytes at {piece.Offset} there were {read}.");
                }

                await RandomAccess.WriteAsync(handle, bytes, piece.Offset, stop).ConfigureAwait(false);
                monitor.AddBytes(read);
            }).ConfigureAwait(false);
    }

    // Those that have data, so that 32 TiB of holes are soon over.
    private async IAsyncEnumerable<(long Offset, int Length)> ListPiecesAsync(ViewItem item, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long offset = 0;
        while (offset < item.Entry.Size && await point.View.SeekAsync(item.Id, offset, isHole: false, cancellationToken).ConfigureAwait(false) is { } data)
        {
            monitor.AddBytes(data - offset);
            long end = await point.View.SeekAsync(item.Id, data, isHole: true, cancellationToken).ConfigureAwait(false) ?? item.Entry.Size;
            for (offset = data; offset < end; offset += Piece)
            {
                yield return (offset, (int)Math.Min(Piece, end - offset));
            }

            offset = end;
        }

        monitor.AddBytes(Math.Max(0, item.Entry.Size - offset));
    }

    private async Task ConvertAsync(ViewItem item, string file, string format, CancellationToken cancellationToken)
    {
        string socket = Path.Combine(Path.GetTempPath(), $"obengine-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}.sock");
        LocalSocket.CheckPath(socket);
        Exception? damage = null;
        await using NbdServer server = NbdServer.Start(point.View, item, new NbdOptions { SocketPath = socket, Report = e => Interlocked.CompareExchange(ref damage, e, null) });
        try
        {
            await RunAsync(["convert", "-p", "-f", "raw", "-O", format, "-W", "-m", "8", "-t", "writeback", server.Address, file], file, item.Entry.Size, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException) when (damage is BackupException known)
        {
            // What the program was told is only that it cannot read.
            throw known;
        }
    }

    private async Task RunAsync(IReadOnlyList<string> arguments, string file, long size, CancellationToken cancellationToken)
    {
        using Process process = ImageProgram.Start("qemu-img", arguments);
        try
        {
            process.StandardInput.Close();
            Task<string> error = process.StandardError.ReadToEndAsync(cancellationToken);
            await FollowAsync(process.StandardOutput, size, cancellationToken).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            if (process.ExitCode != 0)
            {
                string said = await error.ConfigureAwait(false);
                throw said.Contains("No space left", StringComparison.Ordinal) ? RestoreFiles.Full(file, said.Trim()) : ImageProgram.Failed("qemu-img", file, said);
            }
        }
        finally
        {
            // Whoever removes the file must be sure that nobody writes it any more.
            ImageProgram.Stop(process);
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    // "    (12.34/100%)", again and again.
    private async Task FollowAsync(StreamReader output, long size, CancellationToken cancellationToken)
    {
        char[] buffer = new char[LastOfText];
        var last = new StringBuilder();
        long told = 0;
        while (await output.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and int length)
        {
            last.Append(buffer, 0, length);
            if (Percent().Matches(last.ToString()) is { Count: > 0 } matches && double.TryParse(matches[^1].Groups[1].Value, CultureInfo.InvariantCulture, out double percent))
            {
                long done = (long)(size * Math.Clamp(percent / 100, 0, 1));
                monitor.AddBytes(Math.Max(0, done - told));
                told = Math.Max(told, done);
            }

            if (last.Length > LastOfText)
            {
                last.Remove(0, last.Length - LastOfText);
            }
        }

        monitor.AddBytes(size - told);
    }

    [GeneratedRegex(@"\(\s*([0-9.]+)/100%\)")]
    private static partial Regex Percent();
}
