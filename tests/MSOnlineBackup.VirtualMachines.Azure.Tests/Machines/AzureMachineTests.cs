using System.Net;
using System.Text.Json.Nodes;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.VirtualMachines.Azure.Machines;
using MSOnlineBackup.VirtualMachines.Azure.Pages;
using MSOnlineBackup.VirtualMachines.Backups;
using MSOnlineBackup.VirtualMachines.Machines;
using Xunit;
using static MSOnlineBackup.VirtualMachines.Azure.Tests.AzureRig;

namespace MSOnlineBackup.VirtualMachines.Azure.Tests.Machines;

/// <summary>Recovery points of a machine in a double of Azure, whose disks are in a real Azurite.</summary>
public sealed class AzureMachineTests : IDisposable
{
    private readonly AzureRig _rig = new();

    private AzureDouble Azure => _rig.Azure;

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task Each_point_has_the_disks_as_they_were_and_only_what_changed_is_read_what_was_cleared_too()
    {
        Azure.Write(_rig.System, 0, Bytes(1, 3 << 20));
        Azure.Write(_rig.Data, 5 << 20, Bytes(2, 2 << 20));
        MachineBackupResult first = await _rig.BackUpAsync();
        await _rig.AssertIsAsync(first, ("os", _rig.System), ("lun0", _rig.Data));
        Assert.Equal(5, ReadOf(first));
        Assert.Equal(2, _rig.Notes.Count(note => note.Contains("no restore point of a backup before", StringComparison.Ordinal)));
        _rig.AssertClean();

        Azure.Write(_rig.System, 9 << 20, Bytes(3, 512));
        Azure.Clear(_rig.Data, 5 << 20, 1 << 20);
        Azure.Clear(_rig.Data, (6 << 20) + 4096, 512);
        string[] before = [.. Azure.Requests];
        MachineBackupResult second = await _rig.BackUpAsync();

        await _rig.AssertIsAsync(second, ("os", _rig.System), ("lun0", _rig.Data));
        Assert.Empty(_rig.Notes);
        Assert.Equal(2, ReadOf(second));
        _rig.AssertClean();
        Assert.DoesNotContain("sig=", string.Concat(Azure.Requests.Skip(before.Length)), StringComparison.Ordinal);
        Assert.Equal(($"{(string)Azure.Points[0]["name"]!}/{second.Backup.Point.SessionId}", "CrashConsistent"), ((string)Azure.Collections.Values.Single()["tags"]!["obengine-base"]!, (string)Azure.Points[0]["properties"]!["consistencyMode"]!));
        Assert.Equal(ConsistencyLevel.Crash, second.Backup.Point.Sources[0].Consistency!.Level);

        // Nothing changed: nothing is read.
        MachineBackupResult third = await _rig.BackUpAsync();
        Assert.Equal(0, ReadOf(third));
        await _rig.AssertIsAsync(third, ("os", _rig.System), ("lun0", _rig.Data));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_that_tells_all_that_there_is_instead_of_what_changed_makes_no_wrong_point(bool isCleared)
    {
        Azure.Write(_rig.System, 0, Bytes(1, 3 << 20));
        await _rig.BackUpAsync();
        Azure.TellsChanges = false;
        Azure.Write(_rig.System, 4 << 20, Bytes(2, 1 << 20));
        if (isCleared)
        {
            Azure.Clear(_rig.System, 1 << 20, 1 << 20);
        }

        MachineBackupResult second = await _rig.BackUpAsync();

        await _rig.AssertIsAsync(second, ("os", _rig.System), ("lun0", _rig.Data));
        Assert.Equal(isCleared, _rig.Notes.Any(note => note.Contains("it is not relied on", StringComparison.Ordinal)));
        _rig.AssertClean();
    }

    [Fact]
    public void A_list_of_changes_is_relied_on_only_if_it_has_what_came_and_what_went()
    {
        PageRuns then = PageRuns.Of([(0, 1024), (4096, 8192)]);
        PageRuns now = PageRuns.Of([(0, 2048), (4096, 6144)]);
        var session = SessionId.Create(DateTimeOffset.UnixEpoch.AddYears(50), null);

        Assert.Equal([(0, 512), (1024, 1024), (6144, 2048)], AzureMoment.Judge(now, then, PageRuns.Of([(0, 512), (1024, 2048)]), PageRuns.Of([(6144, 8192)]), session).Changes!.Extents);
        Assert.Null(AzureMoment.Judge(now, then, PageRuns.Of([(1024, 2048)]), PageRuns.None, session).Changes);
        Assert.Null(AzureMoment.Judge(now, then, PageRuns.Of([(1024, 1536)]), PageRuns.Of([(6144, 8192)]), session).Changes);
        Assert.Null(AzureMoment.Judge(now, then, now, PageRuns.None, session).Changes);
        Assert.Empty(AzureMoment.Judge(now, now, PageRuns.None, PageRuns.None, session).Changes!.Extents);
    }

    [Theory]
    [InlineData("removed", "no restore point of a backup before")]
    [InlineData("swapped", "another disk")]
    [InlineData("grown", "another size")]
    [InlineData("refused", "could not compare")]
    [InlineData("family", "in another place")]
    [InlineData("unopened", "cannot be opened")]
    public async Task Where_it_is_not_known_what_changed_all_is_read_and_that_is_said(string what, string note)
    {
        Azure.Write(_rig.Data, 0, Bytes(2, 2 << 20));
        await _rig.BackUpAsync();
        string data = _rig.Data;
        switch (what)
        {
            case "removed":
                Azure.Collections.Values.Single()["properties"]!["restorePoints"] = new JsonArray();
                break;
            case "swapped":
                Azure.Detach(0);
                data = Azure.Attach(0, "vm1-other", Size);
                Azure.Write(data, 1 << 20, Bytes(7, 1 << 20));
                break;
            case "grown":
                Azure.Grow(data, Size + (4 << 20));
                Azure.Write(data, Size, Bytes(7, 1 << 20));
                break;
            case "refused":
                Azure.Intercept = request => request.Headers.Contains("x-ms-previous-snapshot-url") ? new HttpResponseMessage(HttpStatusCode.Conflict) : null;
                break;
            case "family":
                foreach (KeyValuePair<string, JsonNode?> moment in Azure.Points[0]["moments"]!.AsObject())
                {
                    moment.Value!["properties"]!["familyId"] = "another";
                }

                break;
            default:
                string[] then = [.. Azure.Points[0]["moments"]!.AsObject().Select(moment => moment.Key + "/beginGetAccess")];
                Azure.Intercept = request => then.Contains(request.RequestUri!.AbsolutePath) ? AzureDouble.Refuse(HttpStatusCode.Conflict, "Conflict") : null;
                break;
        }

        MachineBackupResult second = await _rig.BackUpAsync();

        Assert.Contains(_rig.Notes, said => said.Contains("lun0", StringComparison.Ordinal) && said.Contains(note, StringComparison.Ordinal));
        await _rig.AssertIsAsync(second, ("os", _rig.System), ("lun0", data));
        _rig.AssertClean();
        Azure.Intercept = static _ => null;
        Azure.Write(data, 3 << 20, Bytes(9, 512));
        MachineBackupResult third = await _rig.BackUpAsync();
        Assert.Equal((1, 0), (ReadOf(third), _rig.Notes.Count));
        await _rig.AssertIsAsync(third, ("os", _rig.System), ("lun0", data));
    }

    [Fact]
    public async Task A_disk_that_was_added_is_read_whole_and_one_that_was_removed_or_left_out_is_not_missed()
    {
        Azure.Write(_rig.System, 0, Bytes(1, 1 << 20));
        await _rig.BackUpAsync();
        string added = Azure.Attach(7, "vm1-added", Size);
        Azure.Write(added, 2 << 20, Bytes(4, 1 << 20));
        MachineBackupResult second = await _rig.BackUpAsync();
        Assert.Equal(["os", "lun0", "lun7"], second.Disks.Select(disk => disk.Name));
        Assert.Contains("last backup did not have it", Assert.Single(_rig.Notes), StringComparison.Ordinal);
        await _rig.AssertIsAsync(second, ("os", _rig.System), ("lun0", _rig.Data), ("lun7", added));

        Azure.Detach(0);
        MachineBackupResult third = await _rig.BackUpAsync(request => request with { ExcludedDisks = ["lun7"] });
        Assert.Equal(["os"], third.Disks.Select(disk => disk.Name));
        Assert.Single(Azure.Points[0]["moments"]!.AsObject());
        await _rig.AssertIsAsync(third, ("os", _rig.System));
        _rig.AssertClean();
    }

    [Fact]
    public async Task What_is_throttled_is_sent_again()
    {
        Azure.Write(_rig.System, 0, Bytes(1, 9 << 20));
        int count = 0;
        Azure.Intercept = request => Interlocked.Increment(ref count) % 3 == 0 ? Busy(request) : null;

        MachineBackupResult backup = await _rig.BackUpAsync();

        await _rig.AssertIsAsync(backup, ("os", _rig.System), ("lun0", _rig.Data));
        Azure.Intercept = request => request.Headers.Contains("x-ms-range") ? Busy(request) : null;
        Azure.Write(_rig.System, 0, Bytes(2, 512));
        BackupException error = await Assert.ThrowsAsync<BackupException>(() => _rig.BackUpAsync());
        Assert.Equal((BackupErrorId.VirtualMachineUnreachable, true), (error.Id, error.IsTransient));
        _rig.AssertClean();

        static HttpResponseMessage Busy(HttpRequestMessage request)
        {
            HttpResponseMessage answer = request.RequestUri!.Host == AzureDouble.Manager ? AzureDouble.Refuse(HttpStatusCode.TooManyRequests, "TooManyRequests") : new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
            answer.Headers.Add("Retry-After", "0");
            return answer;
        }
    }

    [Fact]
    public async Task What_is_open_no_longer_is_opened_again()
    {
        Azure.Write(_rig.System, 0, Bytes(1, 10 << 20));
        Azure.Write(_rig.Data, 0, Bytes(2, 5 << 20));
        int reads = 0;
        Azure.Intercept = request =>
        {
            if (request.RequestUri!.Host == AzureDouble.Storage && Interlocked.Increment(ref reads) is 3 or 8 or 11)
            {
                Azure.Expire();
            }

            return null;
        };

        MachineBackupResult backup = await _rig.BackUpAsync();

        await _rig.AssertIsAsync(backup, ("os", _rig.System), ("lun0", _rig.Data));
        Assert.True(Azure.Requests.Count(request => request.EndsWith("beginGetAccess", StringComparison.Ordinal)) > 3);
        _rig.AssertClean();
    }

    [Fact]
    public async Task What_a_killed_backup_has_left_is_closed_and_removed_and_the_base_stays()
    {
        Azure.Write(_rig.System, 0, Bytes(1, 2 << 20));
        await _rig.BackUpAsync();
        string kept = (string)Azure.Points[0]["name"]!;
        await using AzureMachine machine = await AzureMachine.ConnectAsync(AzureDouble.Machine, _rig.Access, Stop);

        // Never closed, and never committed: as of a process that is no more.
        IMachineMoment killed = await machine.BeginAsync(await machine.ListDisksAsync(Stop), _rig.Moment(), Stop);
        killed.Disks[0].Content.Read(0, new byte[4096]);
        Assert.Equal((2, 4), (Azure.Points.Length, Azure.Open.Count));
        Azure.Write(_rig.System, 8 << 20, Bytes(3, 512));

        MachineBackupResult next = await _rig.BackUpAsync();

        Assert.Empty(_rig.Notes);
        Assert.Equal(1, ReadOf(next));
        await _rig.AssertIsAsync(next, ("os", _rig.System), ("lun0", _rig.Data));
        _rig.AssertClean();
        Assert.NotEqual(kept, (string)Azure.Points[0]["name"]!);
    }

    [Fact]
    public async Task A_backup_that_fails_leaves_nothing_and_the_base_as_it_was()
    {
        Azure.Write(_rig.System, 0, Bytes(1, 8 << 20));
        await _rig.BackUpAsync();
        string kept = (string)Azure.Points[0]["name"]!;
        int before = _rig.PointsInVault;
        Azure.Write(_rig.System, 0, Bytes(2, 8 << 20));
        int reads = 0;
        Azure.Intercept = request => request.RequestUri!.Host == AzureDouble.Storage && request.RequestUri.Query.StartsWith("?sv=", StringComparison.Ordinal) && request.Method == HttpMethod.Get && Interlocked.Increment(ref reads) > 5
            ? new HttpResponseMessage(HttpStatusCode.NotFound)
            : null;

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => _rig.BackUpAsync());

        Assert.Equal((BackupErrorId.SourceUnreadable, BackupErrorId.SourceItemUnreadable), (error.Id, (error.InnerException as BackupException)?.Id));
        Assert.DoesNotContain("sig=", error.ToString(), StringComparison.Ordinal);
        Assert.Equal((before, kept), (_rig.PointsInVault, (string)Azure.Points.Single()["name"]!));
        _rig.AssertClean();
        Azure.Intercept = static _ => null;
        MachineBackupResult next = await _rig.BackUpAsync();
        await _rig.AssertIsAsync(next, ("os", _rig.System), ("lun0", _rig.Data));
        Assert.Equal(8, ReadOf(next));
    }

    [Fact]
    public async Task A_base_that_cannot_be_noted_costs_the_next_backup_reading_and_no_point()
    {
        Azure.Write(_rig.System, 0, Bytes(1, 2 << 20));
        await _rig.BackUpAsync();
        Azure.Write(_rig.System, 0, Bytes(2, 512));
        Azure.Intercept = request => request.Method == HttpMethod.Patch ? AzureDouble.Refuse(HttpStatusCode.Forbidden, "AuthorizationFailed") : null;
        await _rig.BackUpAsync();
        Assert.Contains("reads more than it would have to", Assert.Single(_rig.Notes), StringComparison.Ordinal);
        Azure.Intercept = static _ => null;
        Azure.Write(_rig.System, 4096, Bytes(3, 512));

        MachineBackupResult third = await _rig.BackUpAsync();

        await _rig.AssertIsAsync(third, ("os", _rig.System), ("lun0", _rig.Data));
        _rig.AssertClean();
    }

    [Theory]
    [InlineData("GET", "virtualMachines/vm1", "read")]
    [InlineData("PUT", "restorePointCollections", "create")]
    [InlineData("PUT", "/restorePoints/", "create")]
    [InlineData("POST", "beginGetAccess", "open")]
    public async Task What_this_machine_may_not_do_is_told_with_what_it_was(string method, string part, string verb)
    {
        Azure.Intercept = request => request.Method.Method == method && request.RequestUri!.AbsolutePath.Contains(part, StringComparison.Ordinal)
            ? AzureDouble.Refuse(HttpStatusCode.Forbidden, "AuthorizationFailed", "The client does not have authorization to perform this action.")
            : null;

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => _rig.BackUpAsync());

        Assert.Equal(BackupErrorId.VirtualMachineAccessDenied, error.Id);
        Assert.Contains($"identity to {verb} '/subscriptions/", error.Message, StringComparison.Ordinal);
        Assert.Contains("AuthorizationFailed: The client does not have authorization", error.Message, StringComparison.Ordinal);
        Azure.Intercept = static _ => null;
        _rig.AssertClean(points: 0);
    }

    [Fact]
    public async Task A_machine_that_is_not_there_is_not_found()
    {
        BackupException error = await Assert.ThrowsAsync<BackupException>(() => AzureMachine.ConnectAsync(AzureDouble.Compute + "virtualMachines/nowhere", _rig.Access, Stop));
        Assert.Equal(BackupErrorId.VirtualMachineNotFound, error.Id);
    }

    [Theory]
    [InlineData("ephemeral")]
    [InlineData("no managed disk")]
    [InlineData("UltraSSD_LRS")]
    [InlineData("shared by several")]
    [InlineData("confidential")]
    [InlineData("DenyAll")]
    [InlineData("Entra ID")]
    public async Task A_disk_that_cannot_be_backed_up_is_refused_with_the_reason_and_can_be_left_out(string reason)
    {
        JsonObject attachment = Azure.Model["properties"]!["storageProfile"]!["dataDisks"]![0]!.AsObject();
        JsonObject properties = Azure.Disks[_rig.Data]["properties"]!.AsObject();
        switch (reason)
        {
            case "ephemeral":
                attachment["diffDiskSettings"] = new JsonObject { ["option"] = "Local" };
                break;
            case "no managed disk":
                attachment.Remove("managedDisk");
                attachment["vhd"] = new JsonObject { ["uri"] = "https://account.blob.core.windows.net/vhds/data.vhd" };
                break;
            case "UltraSSD_LRS":
                Azure.Disks[_rig.Data]["sku"]!["name"] = reason;
                break;
            case "shared by several":
                properties["maxShares"] = 2;
                break;
            case "confidential":
                properties["securityProfile"] = new JsonObject { ["securityType"] = "ConfidentialVM_DiskEncryptedWithPlatformKey" };
                break;
            case "DenyAll":
                properties["networkAccessPolicy"] = reason;
                break;
            default:
                properties["dataAccessAuthMode"] = "AzureActiveDirectory";
                break;
        }

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => _rig.BackUpAsync());

        Assert.Equal(BackupErrorId.VirtualMachineUnfit, error.Id);
        Assert.Contains("'lun0'", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Empty(Azure.Collections);
        if (reason != "no managed disk")
        {
            return;
        }

        MachineBackupResult without = await _rig.BackUpAsync(request => request with { ExcludedDisks = ["lun0"] });
        Assert.Equal(["os"], without.Disks.Select(disk => disk.Name));
    }

    [Fact]
    public async Task A_collection_of_somebody_else_is_not_touched()
    {
        await _rig.BackUpAsync();
        JsonObject collection = Azure.Collections.Values.Single();
        collection["tags"]!.AsObject().Remove("obengine");

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => _rig.BackUpAsync());

        Assert.Equal(BackupErrorId.VirtualMachineUnfit, error.Id);
        Assert.Single(Azure.Points);
    }

    [Theory]
    [InlineData("ApplicationConsistent", ConsistencyLevel.Application)]
    [InlineData("FileSystemConsistent", ConsistencyLevel.FileSystem)]
    [InlineData("CrashConsistent", null)]
    public async Task The_point_says_what_can_be_relied_on_as_Azure_found_it(string told, ConsistencyLevel? level)
    {
        Azure.Consistency = told;
        Func<MachineBackupRequest, MachineBackupRequest> demand = request => request with { Moment = request.Moment with { RequiresFreeze = true } };
        if (level is null)
        {
            Assert.Equal(BackupErrorId.GuestNotFrozen, (await Assert.ThrowsAsync<BackupException>(() => _rig.BackUpAsync(demand))).Id);
            _rig.AssertClean(points: 0);
            return;
        }

        MachineBackupResult backup = await _rig.BackUpAsync(demand);

        Assert.Equal(level, backup.Backup.Point.Sources[0].Consistency!.Level);
    }

    [Theory]
    [InlineData("Conflict", BackupErrorId.VirtualMachineBusy)]
    [InlineData("LinkedAuthorizationFailed", BackupErrorId.VirtualMachineAccessDenied)]
    [InlineData("VMAgentStatusCommunicationError", BackupErrorId.VirtualMachineCommandFailed)]
    public async Task An_operation_that_fails_later_is_told_as_one_that_fails_at_once(string code, BackupErrorId id)
    {
        Azure.Intercept = request => request.RequestUri!.AbsolutePath.Contains("/operations/", StringComparison.Ordinal) || request.RequestUri.AbsolutePath.Contains("/results/", StringComparison.Ordinal)
            ? request.RequestUri.AbsolutePath.Contains("/results/", StringComparison.Ordinal)
                ? AzureDouble.Refuse(id switch { BackupErrorId.VirtualMachineBusy => HttpStatusCode.Conflict, BackupErrorId.VirtualMachineAccessDenied => HttpStatusCode.Forbidden, _ => HttpStatusCode.BadRequest }, code)
                : AzureDouble.Answer(HttpStatusCode.OK, new JsonObject { ["status"] = "Failed", ["error"] = new JsonObject { ["code"] = code, ["message"] = "It did not work." } })
            : null;

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => _rig.BackUpAsync());

        Assert.Equal(id, error.Id);
        Assert.Contains(code, error.Message, StringComparison.Ordinal);
        Assert.Equal(0, _rig.PointsInVault);
    }

    [Fact]
    public async Task The_token_goes_to_nobody_else_whatever_an_answer_refers_to()
    {
        Azure.Intercept = request =>
        {
            if (request.Method != HttpMethod.Put)
            {
                return null;
            }

            HttpResponseMessage answer = AzureDouble.Answer(HttpStatusCode.Accepted);
            answer.Headers.Add("Azure-AsyncOperation", "https://management.example/subscriptions/x/operations/1");
            return answer;
        };

        BackupException error = await Assert.ThrowsAsync<BackupException>(() => _rig.BackUpAsync());

        Assert.Equal(BackupErrorId.VirtualMachineCommandFailed, error.Id);
        Assert.DoesNotContain(Azure.Requests, request => request.EndsWith("/operations/1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_template_is_as_it_was()
    {
        Azure.Model["zones"] = new JsonArray("2");
        Azure.Disks[_rig.System]["zones"] = new JsonArray("2");
        Azure.Disks[_rig.System]["properties"]!["securityProfile"] = new JsonObject { ["securityType"] = "TrustedLaunch" };
        Azure.Model["plan"] = new JsonObject { ["name"] = "plan", ["publisher"] = "publisher", ["product"] = "product" };
        await using AzureMachine machine = await AzureMachine.ConnectAsync(AzureDouble.Machine, _rig.Access, Stop);
        await using IMachineMoment moment = await machine.BeginAsync(await machine.ListDisksAsync(Stop), _rig.Moment(), Stop);
        (string name, byte[] content) = Assert.Single(moment.Files);
        Assert.Equal("azuredeploy.json", name);
        string file = Path.Combine(Repository.Root, "tests", "fixtures", "azure", name);
        if (Environment.GetEnvironmentVariable("OB_RECORD_TEMPLATE") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllBytesAsync(file, [.. content, (byte)'\n'], Stop);
        }

        Assert.Equal(await File.ReadAllTextAsync(file, Stop), System.Text.Encoding.UTF8.GetString(content) + "\n");
    }
}
