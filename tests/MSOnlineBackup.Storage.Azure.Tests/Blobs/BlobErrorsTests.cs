using Azure;
using MSOnlineBackup.Storage.Azure.Blobs;
using MSOnlineBackup.Storage.Azure.Transport;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests.Blobs;

/// <summary>Each answer of Blob Storage, as a real client sees it, becomes one error.</summary>
public sealed class BlobErrorsTests
{
    private const string Name = "packs/01/x";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(400, "AccountRequiresHttps", BackupErrorId.ArgumentInvalid, false, "plain HTTP")]
    [InlineData(400, "Md5Mismatch", BackupErrorId.VaultUnreachable, true, "damaged")]
    [InlineData(400, "Crc64Mismatch", BackupErrorId.VaultUnreachable, true, "damaged")]
    [InlineData(400, "InvalidHeaderValue", BackupErrorId.VaultUnreachable, false, "refuses")]
    [InlineData(400, "OutOfRangeInput", BackupErrorId.ArgumentInvalid, false, "cannot be the URL")]
    [InlineData(400, "InvalidResourceName", BackupErrorId.ArgumentInvalid, false, "cannot be the URL")]
    [InlineData(401, "InvalidAuthenticationInfo", BackupErrorId.VaultAccessDenied, true, "token")]
    [InlineData(401, "NoAuthenticationInformation", BackupErrorId.VaultAccessDenied, false, "denied")]
    [InlineData(403, "AuthorizationPermissionMismatch", BackupErrorId.VaultAccessDenied, false, "role")]
    [InlineData(403, "InsufficientAccountPermissions", BackupErrorId.VaultAccessDenied, false, "role")]
    [InlineData(403, "AuthorizationResourceTypeMismatch", BackupErrorId.VaultAccessDenied, false, "permission")]
    [InlineData(403, "AuthorizationFailure", BackupErrorId.VaultAccessDenied, false, "firewall")]
    [InlineData(403, "AuthorizationSourceIPMismatch", BackupErrorId.VaultAccessDenied, false, "addresses")]
    [InlineData(403, "AuthorizationProtocolMismatch", BackupErrorId.ArgumentInvalid, false, "plain HTTP")]
    [InlineData(403, "AuthenticationFailed", BackupErrorId.VaultAccessDenied, false, "not accepted")]
    [InlineData(403, "KeyBasedAuthenticationNotPermitted", BackupErrorId.VaultAccessDenied, false, "keys")]
    [InlineData(409, "PublicAccessNotPermitted", BackupErrorId.VaultUnreachable, false, "refuses")]
    [InlineData(403, "AccountIsDisabled", BackupErrorId.VaultAccountDisabled, false, "disabled")]
    [InlineData(404, "ContainerNotFound", BackupErrorId.VaultNotFound, false, "no container")]
    [InlineData(404, "ResourceNotFound", BackupErrorId.VaultNotFound, false, "no container")]
    [InlineData(404, "BlobNotFound", BackupErrorId.VaultDataMissing, false, Name)]
    [InlineData(408, "OperationTimedOut", BackupErrorId.VaultUnreachable, true, "at the moment")]
    [InlineData(409, "ContainerBeingDeleted", BackupErrorId.VaultUnreachable, true, "being deleted")]
    [InlineData(409, "BlobArchived", BackupErrorId.VaultDataArchived, false, "Archive")]
    [InlineData(409, "BlobBeingRehydrated", BackupErrorId.VaultDataArchived, false, "being rehydrated")]
    [InlineData(409, "BlobImmutableDueToPolicy", BackupErrorId.VaultDataProtected, false, "deleted")]
    [InlineData(409, "SnapshotsPresent", BackupErrorId.VaultDataProtected, false, "deleted")]
    [InlineData(412, "LeaseIdMissing", BackupErrorId.VaultDataProtected, false, "deleted")]
    [InlineData(412, "ConditionNotMet", BackupErrorId.VaultUnreachable, false, "refuses")]
    [InlineData(429, "TooManyRequests", BackupErrorId.VaultUnreachable, true, "at the moment")]
    [InlineData(500, "InternalError", BackupErrorId.VaultUnreachable, true, "at the moment")]
    [InlineData(502, null, BackupErrorId.VaultUnreachable, true, "at the moment")]
    [InlineData(503, "ServerBusy", BackupErrorId.VaultUnreachable, true, "at the moment")]
    [InlineData(504, null, BackupErrorId.VaultUnreachable, true, "at the moment")]
    [InlineData(507, "InsufficientStorage", BackupErrorId.VaultFull, false, "no more")]
    public async Task An_answer_becomes_an_error_that_says_so_at_once(int status, string? code, BackupErrorId id, bool transient, string said)
    {
        await using var server = new CannedServer($"{status} -\nContent-Length: 0{(code is null ? null : $"\nx-ms-error-code: {code}")}");

        BlobVaultStore vault = server.OpenVault();
        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await vault.ReadAsync(Name, 0, new byte[1], Stop));

        // The target is what the message speaks of: the object, or the container as a whole.
        string target = error.Message.Contains(Name, StringComparison.Ordinal) ? Name : vault.Location;
        Assert.Equal((id, transient, target), (error.Id, error.IsTransient, error.Target));
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.Equal(1, server.Requests);
    }

    [Theory]
    [InlineData("BlobAlreadyExists", 409)]
    [InlineData("UnauthorizedBlobOverwrite", 403)]
    [InlineData("BlobImmutableDueToPolicy", 409)]
    [InlineData("BlobArchived", 409)]
    [InlineData("ConditionNotMet", 412)]
    public async Task That_a_name_is_taken_is_an_answer_however_it_is_put(string code, int status)
    {
        await using var server = new CannedServer($"{status} -\nContent-Length: 0\nx-ms-error-code: {code}");

        Assert.False(await server.OpenVault().TryCreateAsync(Name, new byte[10], Stop));
    }

    [Theory]
    [InlineData("Retry-After: 17", 17)]
    [InlineData("Date: Sat, 21 Nov 2026 10:00:00 GMT\nRetry-After: Sat, 21 Nov 2026 10:02:00 GMT", 120)]
    [InlineData("Date: Sat, 21 Nov 2026 10:00:00 GMT\nRetry-After: Sat, 21 Nov 2026 09:00:00 GMT", null)]
    [InlineData("Retry-After: soon", null)]
    [InlineData("Retry-After: 0", null)]
    [InlineData("X-Other: 1", null)]
    public async Task How_long_the_service_wants_to_be_left_alone_is_kept(string headers, int? seconds)
    {
        await using var server = new CannedServer($"503 -\nContent-Length: 0\nx-ms-error-code: ServerBusy\n{headers}");

        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await server.OpenVault().StatAsync(Name, Stop));

        Assert.Equal(seconds, error.RetryAfter?.TotalSeconds);
    }

    [Theory]
    [InlineData(403, "AuthorizationPermissionMismatch", BackupErrorId.VaultAccessDenied, false)]
    [InlineData(404, "ContainerNotFound", BackupErrorId.VaultNotFound, false)]
    [InlineData(503, "ServerBusy", BackupErrorId.VaultUnreachable, true)]
    public async Task That_an_answer_without_a_body_is_called_XML_changes_nothing(int status, string code, BackupErrorId id, bool transient)
    {
        await using var server = new CannedServer($"{status} -\nContent-Type: application/xml\nContent-Length: 0\nx-ms-error-code: {code}");
        BlobVaultStore vault = server.OpenVault();

        Assert.All(
            [
                await Assert.ThrowsAsync<BackupException>(async () => await vault.StatAsync(Name, Stop)),
                await Assert.ThrowsAsync<BackupException>(async () => await vault.ReadAsync(Name, 0, new byte[1], Stop)),
                await Assert.ThrowsAsync<BackupException>(async () => await vault.TryCreateAsync(Name, new byte[1], Stop)),
            ],
            error =>
            {
                Assert.Equal((id, transient), (error.Id, error.IsTransient));
                Assert.Contains($"HTTP {status} {code}", error.Message, StringComparison.Ordinal);
            });
    }

    [Fact]
    public async Task What_is_not_there_is_not_there_though_its_answer_is_called_XML()
    {
        await using var server = new CannedServer("404 -\nContent-Type: application/xml\nContent-Length: 0\nx-ms-error-code: BlobNotFound");

        Assert.Null(await server.OpenVault().StatAsync(Name, Stop));
    }

    [Fact]
    public void A_missing_assembly_is_no_failure_of_the_network_however_it_is_wrapped()
    {
        var missing = new FileNotFoundException("Could not load file or assembly 'Some.Package'.");
        var wrapped = new RequestFailedException("No answer.", new HttpRequestException("No answer.", missing));

        Assert.All<Exception>([missing, wrapped], failure =>
        {
            Assert.False(BlobErrors.IsFailure(failure, Stop));
            Assert.Null(TransportErrors.Find(failure));
        });
        Assert.True(BlobErrors.IsFailure(new RequestFailedException("No answer.", new HttpRequestException("No answer.", new IOException())), Stop));
    }

    [Fact]
    public async Task When_a_signature_was_valid_is_told_and_nothing_else_of_it()
    {
        const string Times = "Signature not valid in the specified time frame: Start [a] - Expiry [b] - Current [c]";
        Assert.Contains(Times, await DenialAsync(Times), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", await DenialAsync("Signature did not match. String to sign used was secret"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("206 -\nContent-Length: 100\nContent-Range: bytes 0-99/1000\nETag: \"1\"", "only this")]
    [InlineData("206 -\nContent-Length: 9\nContent-Range: bytes 1-9/1000\nETag: \"1\"", "only this")]
    [InlineData("206 -\nContent-Length: 9\nContent-Range: bytes 0-8/1000\nETag: \"1\"", "only this")]
    [InlineData("206 -\nContent-Length: 9\nContent-Range: bytes 0-8/9999999999999999999999\nETag: \"1\"", "only this")]
    [InlineData("206 -\nContent-Length: 9\nETag: \"1\"", "only this")]
    [InlineData("200 -\nContent-Length: 0\nETag: \"1\"", "")]
    public async Task An_answer_that_breaks_off_or_is_another_range_may_be_better_the_next_time(string head, string body)
    {
        await using var server = new CannedServer(head, body);

        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await server.OpenVault().ReadAsync(Name, 0, new byte[100], Stop));

        Assert.Equal((BackupErrorId.VaultUnreachable, true), (error.Id, error.IsTransient));
    }

    [Fact]
    public async Task A_listing_that_breaks_off_may_be_better_the_next_time()
    {
        const string Begun = "<?xml version=\"1.0\"?><EnumerationResults><Blobs><Blob><Name>a</Name>";
        await using var server = new CannedServer($"200 -\nContent-Type: application/xml\nContent-Length: {Begun.Length}", Begun);

        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await server.OpenVault().ListAsync("", Stop).ToListAsync(Stop));

        Assert.Equal((BackupErrorId.VaultUnreachable, true), (error.Id, error.IsTransient));
    }

    [Fact]
    public async Task Where_nobody_listens_somebody_may_later()
    {
        var store = BlobVaultStore.Open("http://127.0.0.1:9/devstoreaccount1/vault", new VaultConnection { IsDirect = true });

        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await store.StatAsync(Name, Stop));

        Assert.Equal((BackupErrorId.VaultUnreachable, true), (error.Id, error.IsTransient));
    }

    private static async Task<string> DenialAsync(string detail)
    {
        string body = $"<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code><Message>No.</Message><AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail></Error>";
        await using var server =
            new CannedServer($"403 -\nContent-Type: application/xml\nx-ms-error-code: AuthenticationFailed\nContent-Length: {body.Length}", body);
        string read = (await Assert.ThrowsAsync<BackupException>(async () => await server.OpenVault().ReadAsync(Name, 0, new byte[1], Stop))).Message;
        string created = (await Assert.ThrowsAsync<BackupException>(async () => await server.OpenVault().TryCreateAsync(Name, new byte[1], Stop))).Message;
        Assert.Equal(read, created);
        return read;
    }
}
