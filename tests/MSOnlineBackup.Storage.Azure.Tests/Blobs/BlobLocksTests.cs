using System.Collections.Concurrent;
using MSOnlineBackup.Storage.Azure.Blobs;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Storage.Azure.Tests.Blobs;

/// <summary>
/// Immutability policies by the requests that the service documents, answered by a double: Azurite has no policies, so none of this was run against real Azure.
/// </summary>
public sealed class BlobLocksTests : IAsyncDisposable
{
    private const string Until = "Thu, 01 Jan 2099 00:00:00 GMT";

    private readonly ConcurrentQueue<string[]> _requests = new();
    private readonly LoopbackServer _server;
    private Func<string[], string> _answer = _ => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    public BlobLocksTests() => _server = new LoopbackServer(async (stream, stop) =>
    {
        while (await LoopbackServer.ReadHeadAsync(stream, stop) is { Length: > 0 } head)
        {
            _requests.Enqueue(head);
            await LoopbackServer.WriteAsync(stream, _answer(head), stop);
        }
    });

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private IObjectLocks Locks => BlobVaultStore.Open($"{_server.Url}devstoreaccount1/vault", new VaultConnection { IsDirect = true }).Locks;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(true, "Locked")]
    [InlineData(false, "Unlocked")]
    public async Task A_lock_is_one_request_with_its_end_and_its_mode(bool isFirm, string mode)
    {
        await Locks.LockAsync("keys/a", new DateTimeOffset(2099, 1, 1, 0, 0, 0, TimeSpan.Zero), isFirm, Stop);

        string[] head = Assert.Single(_requests);
        Assert.StartsWith("PUT /devstoreaccount1/vault/keys/a?comp=immutabilityPolicies ", head[0], StringComparison.Ordinal);
        Assert.Contains($"x-ms-immutability-policy-until-date: {Until}", head, StringComparer.OrdinalIgnoreCase);
        Assert.Contains($"x-ms-immutability-policy-mode: {mode}", head, StringComparer.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task How_blobs_stand_is_told_by_their_listing()
    {
        const string Facts = "<Creation-Time>Sun, 29 Nov 2026 00:00:00 GMT</Creation-Time><Last-Modified>Sun, 29 Nov 2026 00:00:00 GMT</Last-Modified><Etag>0x1</Etag><Content-Length>7</Content-Length><BlobType>BlockBlob</BlobType>";
        _answer = _ => Xml(
            "<EnumerationResults ServiceEndpoint=\"http://x/\" ContainerName=\"vault\"><Blobs>"
            + $"<Blob><Name>points/a</Name><Properties>{Facts}<ImmutabilityPolicyUntilDate>{Until}</ImmutabilityPolicyUntilDate><ImmutabilityPolicyMode>locked</ImmutabilityPolicyMode></Properties></Blob>"
            + $"<Blob><Name>points/b</Name><Properties>{Facts}<ImmutabilityPolicyUntilDate>{Until}</ImmutabilityPolicyUntilDate><ImmutabilityPolicyMode>unlocked</ImmutabilityPolicyMode></Properties></Blob>"
            + $"<Blob><Name>points/c</Name><Properties>{Facts}<LegalHold>true</LegalHold></Properties></Blob>"
            + $"<Blob><Name>points/d</Name><Properties>{Facts}</Properties></Blob></Blobs><NextMarker /></EnumerationResults>");

        List<LockedObject> found = await Locks.ListAsync("points/", Stop).ToListAsync(Stop);

        var until = new DateTimeOffset(2099, 1, 1, 0, 0, 0, TimeSpan.Zero);
        Assert.Equal([new ObjectLock(until, true), new ObjectLock(until, false), new ObjectLock(null, true), null], found.Select(item => item.Lock));
        Assert.Equal(("points/a", 7L), (found[0].Object.Name, found[0].Object.Length));
        Assert.Contains("include=", Assert.Single(_requests)[0], StringComparison.Ordinal);
        Assert.Contains("immutabilitypolicy", _requests.Single()[0], StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("false", false)]
    public async Task A_container_without_support_is_found_out_before_anything_is_locked(string supported, bool canLock)
    {
        _answer = _ => $"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: \"0x1\"\r\nLast-Modified: Sun, 29 Nov 2026 00:00:00 GMT\r\nx-ms-immutable-storage-with-versioning-enabled: {supported}\r\n\r\n";

        string? obstacle = await Locks.FindObstacleAsync(Stop);

        Assert.Equal(canLock, obstacle is null);
        Assert.Single(_requests);
    }

    [Fact]
    public async Task Who_may_not_lock_is_told_so()
    {
        _answer = _ => Refusal(403, "AuthorizationPermissionMismatch");

        BackupException error = await Assert.ThrowsAsync<BackupException>(async () => await Locks.LockAsync("keys/a", DateTimeOffset.UnixEpoch.AddYears(60), true, Stop));

        Assert.Equal((BackupErrorId.VaultAccessDenied, "keys/a"), (error.Id, error.Target));
        Assert.Single(_requests);
        Assert.Null(await Locks.FindObstacleAsync(Stop));
        Assert.False(await Locks.UnlockAsync("keys/a", Stop));
    }

    [Theory]
    [InlineData("Locked", "HEAD", 1)]
    [InlineData("Unlocked", "HEAD DELETE DELETE", 3)]
    public async Task A_lock_that_is_firm_is_not_tried_to_be_taken_off(string mode, string methods, int requests)
    {
        _answer = head => head[0].StartsWith("HEAD", StringComparison.Ordinal)
            ? $"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nETag: \"0x1\"\r\nx-ms-blob-type: BlockBlob\r\nLast-Modified: Sun, 29 Nov 2026 00:00:00 GMT\r\nx-ms-immutability-policy-until-date: {Until}\r\nx-ms-immutability-policy-mode: {mode}\r\n\r\n"
            : $"HTTP/1.1 {(head[0].Contains("comp=", StringComparison.Ordinal) ? "200 OK" : "202 Accepted")}\r\nContent-Length: 0\r\n\r\n";

        Assert.Equal(mode == "Unlocked", await Locks.ReleaseAsync("points/a", Stop));

        Assert.Equal(methods, string.Join(' ', _requests.Select(head => head[0].Split(' ')[0])));
        Assert.Equal(requests, _requests.Count);
    }

    [Fact]
    public async Task Azurite_lists_as_a_container_without_policies_does()
    {
        Assert.SkipUnless(AzuriteServer.IsAvailable, AzuriteServer.Missing);
        var store = BlobVaultStore.Create(AzuriteServer.Shared.NewContainer(), new VaultConnection());
        await store.TryCreateAsync("points/a", new byte[7], Stop);

        Assert.Equal([("points/a", null)], (await store.Locks.ListAsync("points/", Stop).ToListAsync(Stop)).Select(found => (found.Object.Name, found.Lock)));
        Assert.Null(await store.Locks.ReadAsync("points/a", Stop));
        Assert.NotNull(await store.Locks.FindObstacleAsync(Stop));
    }

    private static string Xml(string body)
    {
        string text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>" + body;
        return $"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: {text.Length}\r\n\r\n{text}";
    }

    private static string Refusal(int status, string code)
    {
        string text = $"<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>No.</Message></Error>";
        return $"HTTP/1.1 {status} No\r\nx-ms-error-code: {code}\r\nContent-Type: application/xml\r\nContent-Length: {text.Length}\r\n\r\n{text}";
    }
}
