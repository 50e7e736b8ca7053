using System.Globalization;
using System.Text.Json.Nodes;
using MSOnlineBackup.Engine.Images;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.VirtualMachines.Azure.Management;
using MSOnlineBackup.VirtualMachines.Azure.Pages;

namespace MSOnlineBackup.VirtualMachines.Azure.Uploads;

/// <summary>
/// Restores a disk of a recovery point as a managed disk: made for upload, written where it is not zeroes, closed, opened again, read back and compared. A disk that did not come to that is removed.
/// </summary>
public static class AzureDiskUpload
{
    private const string MarkTag = "obengine";
    private const string Mark = "a restore under way";
    private const long Alignment = 1 << 20;

    // Azure takes no smaller one.
    private const long LeastBytes = 20 << 20;
    private const int AtOnce = 8;

    /// <summary>Restores it.</summary>
    /// <param name="access">How Azure is reached, and who this machine is to it.</param>
    /// <param name="request">The new disk.</param>
    /// <param name="disk">The disk of the point; it stays the caller's.</param>
    /// <param name="monitor">Is told how far it is, and of what could not be closed or removed.</param>
    /// <param name="cancellationToken">Stops it: then there is no disk.</param>
    /// <exception cref="BackupException">
    /// ArgumentInvalid; VirtualDiskExists; RestoreVerifyFailed: what Azure has is not what was written; VirtualMachineAccessDenied, VirtualMachineUnreachable, …; VaultDataCorrupt, ….
    /// </exception>
    public static async Task<AzureDiskResult> RunAsync(
        AzureAccess access, AzureDiskRequest request, DiskBytes disk, JobMonitor monitor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(access);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(disk);
        ArgumentNullException.ThrowIfNull(monitor);
        string path = AzureResourceId.Parse(request.Id, AzureResourceId.Disks).ToString();
        var manager = new ResourceManager(access);
        await ClearPlaceAsync(access, manager, path, cancellationToken).ConfigureAwait(false);
        long size = Math.Max(LeastBytes, (disk.Length + Alignment - 1) / Alignment * Alignment);
        monitor.Expect(1, disk.Length);
        monitor.Enter(JobPhase.Transferring);
        monitor.WorkOn(() => path);
        bool isDone = false;
        try
        {
            await manager.PutAsync(path, ResourceManager.DiskVersion, Describe(request, size), cancellationToken).ConfigureAwait(false);
            long written = await OpenedAsync(access, path, canWrite: true, monitor.Warn, blob => WriteAsync(access, blob, disk, size, monitor.AddBytes, cancellationToken)).ConfigureAwait(false);
            monitor.Enter(JobPhase.Verifying);
            long verified = await OpenedAsync(access, path, canWrite: false, monitor.Warn, blob => CompareAsync(blob, disk, size, path, cancellationToken)).ConfigureAwait(false);
            await manager.PatchAsync(path, ResourceManager.DiskVersion, new JsonObject { ["tags"] = new JsonObject { [MarkTag] = "restored" } }, cancellationToken).ConfigureAwait(false);
            isDone = true;
            monitor.AddItem(isFile: true);
            monitor.Enter(JobPhase.Finished);
            return new AzureDiskResult(path, size, written, verified);
        }
        finally
        {
            if (!isDone)
            {
                await TryAsync(() => RemoveAsync(manager, path), monitor.Warn).ConfigureAwait(false);
            }
        }
    }

    // What a killed restore has left is this program's by its tag, and of no use; all else is somebody's.
    private static async Task ClearPlaceAsync(AzureAccess access, ResourceManager manager, string path, CancellationToken cancellationToken)
    {
        if (await manager.FindAsync(path, ResourceManager.DiskVersion, cancellationToken).ConfigureAwait(false) is not { } there)
        {
            return;
        }

        if (there.Text("tags", MarkTag) != Mark || there.Text("managedBy") is not null)
        {
            throw new BackupException(BackupErrorId.VirtualDiskExists, $"There is a disk '{path}' already.", "Give the restored disk another name.", path);
        }

        using var grant = new PageGrant(access, path, canWrite: false);
        await grant.RevokeAsync(cancellationToken).ConfigureAwait(false);
        await manager.DeleteAsync(path, ResourceManager.DiskVersion, cancellationToken).ConfigureAwait(false);
    }

    // Somebody else may have been quicker.
    private static async Task RemoveAsync(ResourceManager manager, string path)
    {
        if (await manager.FindAsync(path, ResourceManager.DiskVersion, CancellationToken.None).ConfigureAwait(false) is { } there && there.Text("tags", MarkTag) == Mark)
        {
            await manager.DeleteAsync(path, ResourceManager.DiskVersion, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private static JsonObject Describe(AzureDiskRequest request, long size)
    {
        var properties = new JsonObject { ["creationData"] = new JsonObject { ["createOption"] = "Upload", ["uploadSizeBytes"] = size + VhdFooter.Length } };
        if (request.OperatingSystem is { } system)
        {
            properties["osType"] = system;
        }

        if (request.Generation is { } generation)
        {
            properties["hyperVGeneration"] = generation;
        }

        if (request.IsTrusted)
        {
            properties["securityProfile"] = new JsonObject { ["securityType"] = "TrustedLaunch" };
        }

        var body = new JsonObject
        {
            ["location"] = request.Location,
            ["sku"] = new JsonObject { ["name"] = request.Sku },
            ["tags"] = new JsonObject { [MarkTag] = Mark },
            ["properties"] = properties,
        };
        if (request.Zone is { } zone)
        {
            body["zones"] = new JsonArray(zone);
        }

        return body;
    }

    private static async Task<long> OpenedAsync(AzureAccess access, string path, bool canWrite, Action<BackupException> report, Func<PageBlob, Task<long>> work)
    {
        using var grant = new PageGrant(access, path, canWrite);
        bool isDone = false;
        try
        {
            long done = await work(new PageBlob(access, grant, path)).ConfigureAwait(false);
            isDone = true;
            return done;
        }
        finally
        {
            // A disk that is not closed is not finished: then that is the failure.
            await (isDone ? grant.RevokeAsync(CancellationToken.None) : TryAsync(() => grant.RevokeAsync(CancellationToken.None), report)).ConfigureAwait(false);
        }
    }

    private static async Task<long> WriteAsync(AzureAccess access, PageBlob blob, DiskBytes disk, long size, Action<long> progress, CancellationToken cancellationToken)
    {
        long written = 0;
        long told = 0;
        var pending = new Queue<Task>();
        try
        {
            for (long at = 0; await disk.FindDataAsync(at, cancellationToken).ConfigureAwait(false) is { } run;)
            {
                at = run.Start - (run.Start % PageBlob.PageBytes);
                while (at < run.End)
                {
                    byte[] content = await ReadAsync(disk, at, (int)Math.Min(PageBlob.MostWritten, run.End - at), cancellationToken).ConfigureAwait(false);
                    if (content.AsSpan().ContainsAnyExcept((byte)0))
                    {
                        if (pending.Count == AtOnce)
                        {
                            await pending.Dequeue().ConfigureAwait(false);
                        }

                        pending.Enqueue(blob.WriteAsync(at, content, cancellationToken));
                        written += content.Length;
                    }

                    at += content.Length;
                    progress(Math.Min(at, disk.Length) - told);
                    told = Math.Min(at, disk.Length);
                }
            }

            await Task.WhenAll(pending).ConfigureAwait(false);
        }
        catch
        {
            // None goes on writing to what is closed next.
            await Task.WhenAll(pending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        progress(disk.Length - told);
        await blob.WriteAsync(size, VhdFooter.Create(size, access.Pace.Time.GetUtcNow()), cancellationToken).ConfigureAwait(false);
        return written;
    }

    // Where either of the two has something, they are compared byte for byte.
    private static async Task<long> CompareAsync(PageBlob blob, DiskBytes disk, long size, string path, CancellationToken cancellationToken)
    {
        var expected = new List<(long Start, long End)>();
        for (long at = 0; await disk.FindDataAsync(at, cancellationToken).ConfigureAwait(false) is { } run; at = run.End)
        {
            expected.Add(run);
        }

        long length = await blob.ReadLengthAsync(cancellationToken).ConfigureAwait(false);
        if (length != size + VhdFooter.Length)
        {
            throw Different(path, string.Create(CultureInfo.InvariantCulture, $"it has {length - VhdFooter.Length:N0} bytes instead of {size:N0}"));
        }

        PageRuns there = await blob.ListAsync(size, cancellationToken).ConfigureAwait(false);
        PageRuns both = PageRuns.Of(expected).Widened(PageBlob.PageBytes, size).With(there);
        byte[] found = new byte[PageBlob.MostWritten];
        foreach ((long start, long end) in both.Runs)
        {
            for (long at = start; at < end;)
            {
                Memory<byte> piece = found.AsMemory(0, (int)Math.Min(found.Length, end - at));
                await blob.ReadAsync(at, piece, cancellationToken).ConfigureAwait(false);
                byte[] wanted = await ReadAsync(disk, at, piece.Length, cancellationToken).ConfigureAwait(false);
                int differs = piece.Span.CommonPrefixLength(wanted);
                if (differs < piece.Length)
                {
                    throw Different(path, string.Create(CultureInfo.InvariantCulture, $"the byte at {at + differs:N0} is another one"));
                }

                at += piece.Length;
            }
        }

        return both.Bytes;
    }

    // Whole pages, with zeroes beyond the disk's end.
    private static async Task<byte[]> ReadAsync(DiskBytes disk, long at, int count, CancellationToken cancellationToken)
    {
        byte[] content = new byte[(count + PageBlob.PageBytes - 1) / PageBlob.PageBytes * PageBlob.PageBytes];
        if (at < disk.Length)
        {
            await disk.ReadAsync(at, content.AsMemory(0, (int)Math.Min(content.Length, disk.Length - at)), cancellationToken).ConfigureAwait(false);
        }

        return content;
    }

    private static BackupException Different(string path, string how) => new(
        BackupErrorId.RestoreVerifyFailed, $"The restored disk '{path}' is not what the recovery point has: {how}. It is removed.", "Restore it again.", path);

    private static async Task TryAsync(Func<Task> act, Action<BackupException> report)
    {
        try
        {
            await act().ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            report(e);
        }
    }
}
