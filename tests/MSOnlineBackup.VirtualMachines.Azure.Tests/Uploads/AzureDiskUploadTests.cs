using System.Net;
using System.Text.Json.Nodes;
using MSOnlineBackup.Engine.Images;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.VirtualMachines.Azure.Pages;
using MSOnlineBackup.VirtualMachines.Azure.Uploads;
using MSOnlineBackup.VirtualMachines.Backups;
using Xunit;
using static MSOnlineBackup.VirtualMachines.Azure.Tests.AzureRig;

namespace MSOnlineBackup.VirtualMachines.Azure.Tests.Uploads;

/// <summary>Disks of recovery points that are made anew in a double of Azure.</summary>
public sealed class AzureDiskUploadTests : IDisposable
{
    private const string Target = AzureDouble.Compute + "disks/restored";

    private readonly AzureRig _rig = new();

    private AzureDouble Azure => _rig.Azure;

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task A_restored_disk_has_the_bytes_of_the_point()
    {
        Azure.Write(_rig.System, 0, Bytes(1, 9 << 20));
        Azure.Write(_rig.System, (int)Size - 512, Bytes(5, 512));
        Azure.Write(_rig.System, 10 << 20, [.. Bytes(0, 1 << 20), .. Bytes(7, 4096)]);
        MachineBackupResult backup = await _rig.BackUpAsync();
        var monitor = new JobMonitor();

        AzureDiskResult result = await UploadAsync(backup, monitor);

        Assert.True(Azure.Read(_rig.System).AsSpan().SequenceEqual(Azure.Read(Target).AsSpan(0, (int)Size)));
        Assert.True(VhdFooter.IsOf(Azure.ReadFooter(Target), 20 << 20));
        Assert.Equal((Target, 20 << 20), (result.Id, result.Bytes));
        Assert.InRange(result.WrittenBytes, (9 << 20) + 4096 + 512, 11 << 20);
        Assert.InRange(result.VerifiedBytes, result.WrittenBytes, 12 << 20);
        Assert.Equal((JobPhase.Finished, Size), (monitor.Snapshot().Phase, monitor.Snapshot().Bytes));
        JsonObject asked = Azure.Disks[Target]["asked"]!.AsObject();
        Assert.Equal(
            """{"location":"westeurope","sku":{"name":"Premium_LRS"},"tags":{"obengine":"a restore under way"},"properties":{"creationData":{"createOption":"Upload","uploadSizeBytes":20972032},"osType":"Linux","hyperVGeneration":"V2","securityProfile":{"securityType":"TrustedLaunch"}},"zones":["2"]}""",
            asked.ToJsonString());
        Assert.Equal("restored", (string)Azure.Disks[Target]["tags"]!["obengine"]!);
        _rig.AssertClean();
    }

    [Fact]
    public async Task A_disk_that_Azure_has_otherwise_is_told_and_removed()
    {
        Azure.Write(_rig.System, 0, Bytes(1, 6 << 20));
        MachineBackupResult backup = await _rig.BackUpAsync();
        Azure.Intercept = request =>
        {
            // One page is taken, and not kept.
            if (request.Method == HttpMethod.Put && request.RequestUri!.Host == AzureDouble.Storage && request.Headers.GetValues("x-ms-range").Single().StartsWith("bytes=4194304-", StringComparison.Ordinal))
            {
                return new HttpResponseMessage(HttpStatusCode.Created);
            }

            return null;
        };

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => UploadAsync(backup));

        Assert.Equal(BackupErrorId.RestoreVerifyFailed, error.Id);
        Assert.Contains("byte at 4,194,304", error.Message, StringComparison.Ordinal);
        Assert.False(Azure.Disks.ContainsKey(Target));
        _rig.AssertClean();
    }

    [Fact]
    public async Task A_disk_that_is_there_is_not_touched_and_what_a_killed_restore_has_left_is_removed()
    {
        Azure.Write(_rig.System, 0, Bytes(1, 1 << 20));
        MachineBackupResult backup = await _rig.BackUpAsync();
        await UploadAsync(backup);
        Azure.Write(Target, 0, Bytes(9, 512));
        Assert.Equal(BackupErrorId.VirtualDiskExists, (await Assert.ThrowsAsync<BackupException>(() => UploadAsync(backup))).Id);
        Assert.Equal(9, Azure.Read(Target)[0]);

        // As of a process that was killed: marked, and open.
        Azure.Disks[Target]["tags"]!["obengine"] = "a restore under way";
        using var left = new PageGrant(_rig.Access, Target, canWrite: true);
        await left.OpenAsync(null, Stop);

        await UploadAsync(backup);

        Assert.Equal(1, Azure.Read(Target)[0]);
        _rig.AssertClean();
    }

    [Theory]
    [InlineData("PUT", "/disks/restored", HttpStatusCode.Forbidden, BackupErrorId.VirtualMachineAccessDenied)]
    [InlineData("PUT", "/double/", HttpStatusCode.InternalServerError, BackupErrorId.VirtualMachineUnreachable)]
    [InlineData("POST", "endGetAccess", HttpStatusCode.Conflict, BackupErrorId.VirtualMachineBusy)]
    public async Task A_restore_that_fails_leaves_no_disk(string method, string part, HttpStatusCode status, BackupErrorId id)
    {
        Azure.Write(_rig.System, 0, Bytes(1, 11 << 20));
        MachineBackupResult backup = await _rig.BackUpAsync();
        int refusals = 0;
        Azure.Intercept = request => request.Method.Method == method && request.RequestUri!.AbsolutePath.Contains(part, StringComparison.Ordinal) && (part != "endGetAccess" || refusals++ == 0)
            ? AzureDouble.Refuse(status, "Code")
            : null;

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => UploadAsync(backup));

        Assert.Equal(id, error.Id);
        if (part == "endGetAccess")
        {
            // It could not be closed, and so not be removed: the next restore does both.
            Azure.Intercept = static _ => null;
            await UploadAsync(backup);
            Assert.Equal(1, Azure.Read(Target)[0]);
        }
        else
        {
            Assert.False(Azure.Disks.ContainsKey(Target));
        }

        _rig.AssertClean();
    }

    [Fact]
    public async Task A_disk_of_no_even_size_becomes_larger_by_zeroes()
    {
        string odd = Azure.Attach(3, "odd", (1 << 20) + 512);
        Azure.Write(odd, 1 << 20, Bytes(4, 512));
        MachineBackupResult backup = await _rig.BackUpAsync();

        await UploadAsync(backup, disk: "lun3");

        byte[] restored = Azure.Read(Target);
        Assert.Equal(20 << 20, restored.Length);
        Assert.True(restored.AsSpan(0, (1 << 20) + 512).SequenceEqual(Azure.Read(odd)));
        Assert.False(restored.AsSpan((1 << 20) + 512).ContainsAnyExcept((byte)0));
    }

    private async Task<AzureDiskResult> UploadAsync(MachineBackupResult backup, JobMonitor? monitor = null, string disk = "os")
    {
        using DiskBytes bytes = await _rig.OpenAsync(backup, disk);
        var request = new AzureDiskRequest { Id = Target, Location = "westeurope", Sku = "Premium_LRS", OperatingSystem = "Linux", Generation = "V2", IsTrusted = true, Zone = "2" };
        return await AzureDiskUpload.RunAsync(_rig.Access, request, bytes, monitor ?? new JobMonitor(), Stop);
    }
}
