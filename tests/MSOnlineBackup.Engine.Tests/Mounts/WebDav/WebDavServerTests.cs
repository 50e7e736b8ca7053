using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Xml.Linq;
using MSOnlineBackup.Mounts.Serving;
using MSOnlineBackup.Mounts.WebDav;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Mounts.WebDav;

/// <summary>The server, asked by a client of HTTP and, where no client would ask so, over a socket.</summary>
public sealed class WebDavServerTests : IAsyncDisposable
{
    private static readonly XNamespace _dav = "DAV:";
    private static readonly string[] _shown = ["hello.txt", "%E6%97%A5%E6%9C%AC%20%25%20%23%20%3F.txt", "%5Cxffa", "empty", "unread", "link", "large"];

    private readonly MemoryView _view = new();
    private readonly List<Exception> _reported = [];
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });
    private readonly byte[] _large = new byte[3_000_000];
    private readonly ulong _largeId;
    private readonly WebDavServer _server;

    public WebDavServerTests()
    {
        ulong home = _view.Folder(1, "home");
        _view.File(home, "hello.txt", "hello world"u8.ToArray());
        _view.File(home, "日本 % # ?.txt", [1]);
        _view.File(home, [0xff, (byte)'a'], [2]);
        _view.File(home, "empty", []);
        _view.File(home, "unread", [], EntryFlags.Unreadable);
        _view.Pipe(home, "pipe");
        _view.Link(home, "link", "hello.txt");
        new Random(1).NextBytes(_large);
        _largeId = _view.File(home, "large", _large);
        _server = WebDavServer.Start(_view, new WebDavOptions
        {
            Report = failure =>
            {
                lock (_reported)
                {
                    _reported.Add(failure);
                }
            },
            Times = new HttpTimes { Head = TimeSpan.FromSeconds(1), Idle = TimeSpan.FromSeconds(20), Linger = TimeSpan.FromMilliseconds(200) },
        });
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Host => $"127.0.0.1:{_server.Address.Port}";

    private string Home => $"/{_server.Secret}/home";

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        Assert.DoesNotContain(_reported, failure => failure is not BackupException);
    }

    [Fact]
    public async Task A_file_is_given_with_what_is_known_of_it()
    {
        using HttpResponseMessage answer = await GetAsync("hello.txt");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("hello world", await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Equal(11, answer.Content.Headers.ContentLength);
        Assert.Equal("text/plain", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000), answer.Content.Headers.LastModified);
        Assert.False(answer.Headers.ETag!.IsWeak);
        Assert.Equal(_large, await _client.GetByteArrayAsync(Address("large"), Cancel));
        Assert.InRange(_view.LargestRead, 1, 1 << 20);
    }

    [Theory]
    [InlineData("bytes=0-4", 206, "hello", "bytes 0-4/11")]
    [InlineData("bytes=6-", 206, "world", "bytes 6-10/11")]
    [InlineData("bytes=-5", 206, "world", "bytes 6-10/11")]
    [InlineData("bytes=-500", 206, "hello world", "bytes 0-10/11")]
    [InlineData("bytes=10-99999999999999999999999", 206, "d", "bytes 10-10/11")]
    [InlineData("bytes=11-", 416, null, "bytes */11")]
    [InlineData("bytes=-0", 416, null, "bytes */11")]
    [InlineData("bytes=0-1,4-5", 200, "hello world", null)]
    [InlineData("bytes=5-2", 200, "hello world", null)]
    [InlineData("bytes=a-b", 200, "hello world", null)]
    [InlineData("bytes=-", 200, "hello world", null)]
    [InlineData("lines=1-2", 200, "hello world", null)]
    public async Task A_part_of_a_file_is_given_where_one_is_asked_for(string range, int status, string? content, string? contentRange)
    {
        using HttpResponseMessage answer = await SendAsync(HttpMethod.Get, Address("hello.txt"), ("Range", range));

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(contentRange, answer.Content.Headers.ContentRange?.ToString());
        if (content is not null)
        {
            Assert.Equal(content.Length, answer.Content.Headers.ContentLength);
            Assert.Equal(content, await answer.Content.ReadAsStringAsync(Cancel));
        }

        // Only a GET has ranges.
        using HttpResponseMessage head = await SendAsync(HttpMethod.Head, Address("hello.txt"), ("Range", range));
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Null(head.Content.Headers.ContentRange);
        Assert.Equal(11, head.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task Who_has_the_file_already_or_means_another_one_does_not_get_it()
    {
        using HttpResponseMessage first = await GetAsync("hello.txt");
        string tag = first.Headers.ETag!.ToString();
        string time = first.Content.Headers.LastModified!.Value.ToString("R");
        string earlier = first.Content.Headers.LastModified!.Value.AddSeconds(-1).ToString("R");

        foreach ((string name, string value, int status) in new[]
        {
            ("If-None-Match", tag, 304), ("If-None-Match", $"\"x\", W/{tag}", 304), ("If-None-Match", "*", 304), ("If-None-Match", "\"x\"", 200),
            ("If-Modified-Since", time, 304), ("If-Modified-Since", earlier, 200), ("If-Modified-Since", "yesterday", 200),
            ("If-Match", tag, 200), ("If-Match", "\"x\"", 412), ("If-Match", $"W/{tag}", 412), ("If-Unmodified-Since", time, 200), ("If-Unmodified-Since", earlier, 412),
        })
        {
            using HttpResponseMessage answer = await SendAsync(HttpMethod.Get, Address("hello.txt"), (name, value));
            Assert.Equal((name, value, status), (name, value, (int)answer.StatusCode));
        }

        foreach ((string state, int status) in new[] { (tag, 206), (time, 206), ("\"x\"", 200), (earlier, 200), ($"W/{tag}", 200) })
        {
            using HttpResponseMessage answer = await SendAsync(HttpMethod.Get, Address("hello.txt"), ("Range", "bytes=0-1"), ("If-Range", state));
            Assert.Equal((state, status), (state, (int)answer.StatusCode));
        }
    }

    [Fact]
    public async Task A_folder_says_what_is_in_it_as_far_as_clients_know_such_things()
    {
        XElement listing = await ListAsync($"{Home}/");

        Assert.Equal(
            [$"{Home}/", .. _shown.Select(name => $"{Home}/{name}")],
            listing.Elements(_dav + "response").Select(response => response.Element(_dav + "href")!.Value));
        foreach (XElement response in listing.Elements(_dav + "response").Skip(1))
        {
            using HttpResponseMessage head = await SendAsync(HttpMethod.Head, new Uri(_server.Root, response.Element(_dav + "href")!.Value));
            Assert.Equal(response.Value.Contains("unread", StringComparison.Ordinal) ? HttpStatusCode.Forbidden : HttpStatusCode.OK, head.StatusCode);
            if (head.IsSuccessStatusCode)
            {
                Assert.Equal(head.Headers.ETag!.ToString(), response.Descendants(_dav + "getetag").Single().Value);
                Assert.Equal(head.Content.Headers.ContentLength.ToString(), response.Descendants(_dav + "getcontentlength").Single().Value);
            }
        }
    }

    [Fact]
    public async Task Bytes_of_a_name_may_be_said_as_they_are() =>
        Assert.Equal([2], await _client.GetByteArrayAsync(new Uri($"{_server.Address}home/%FFa"), Cancel));

    [Fact]
    public async Task Only_the_properties_that_are_asked_for_are_told_and_those_that_are_not_there_are_named()
    {
        const string Body = """<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getcontentlength/><creationdate/><lockdiscovery/><x xmlns="urn:other"/></prop></propfind>""";
        XElement listing = await ListAsync($"{Home}/hello.txt", "0", Body);

        XElement response = Assert.Single(listing.Elements(_dav + "response"));
        (XElement found, XElement missing) = (response.Elements(_dav + "propstat").First(), response.Elements(_dav + "propstat").Last());
        Assert.Equal(["getcontentlength", "creationdate"], found.Element(_dav + "prop")!.Elements().Select(property => property.Name.LocalName));
        Assert.Equal("11", found.Descendants(_dav + "getcontentlength").Single().Value);
        Assert.Equal("2020-09-13T12:26:40Z", found.Descendants(_dav + "creationdate").Single().Value);
        Assert.Equal([_dav + "lockdiscovery", (XNamespace)"urn:other" + "x"], missing.Element(_dav + "prop")!.Elements().Select(property => property.Name));
        Assert.Contains("404", missing.Element(_dav + "status")!.Value, StringComparison.Ordinal);

        listing = await ListAsync($"{Home}/hello.txt", "0", """<D:propfind xmlns:D="DAV:"><D:propname/></D:propfind>""");
        Assert.All(listing.Descendants(_dav + "prop").Elements(), property => Assert.Equal("", property.Value));
    }

    [Theory]
    [InlineData("<propfind/>")]
    [InlineData("not xml")]
    [InlineData("""<!DOCTYPE p [<!ENTITY a "b">]><propfind xmlns="DAV:"><allprop/></propfind>""")]
    [InlineData("""<propfind xmlns="DAV:"></propfind>""")]
    [InlineData("""<other xmlns="DAV:"><allprop/></other>""")]
    public async Task A_body_that_is_none_is_refused(string body)
    {
        using HttpResponseMessage answer = await PropfindAsync($"{Home}/", "1", body);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Theory]
    [InlineData("infinity")]
    [InlineData(null)]
    public async Task Whole_trees_are_not_listed_at_once(string? depth)
    {
        using HttpResponseMessage answer = await PropfindAsync($"{Home}/", depth);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.NotNull(XDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).Root!.Element(_dav + "propfind-finite-depth"));
    }

    [Fact]
    public async Task A_large_folder_is_listed_in_pages()
    {
        ulong many = _view.Folder(1, "many");
        for (int i = 0; i < 5000; i++)
        {
            _view.File(many, $"{i:d5}", []);
        }

        XElement listing = await ListAsync($"/{_server.Secret}/many");

        Assert.Equal(5001, listing.Elements().Count());
        Assert.Equal(10, _view.Pages);
    }

    [Fact]
    public async Task A_browser_is_shown_a_page_that_runs_nothing()
    {
        ulong folder = _view.Folder(1, "<script>");
        _view.File(folder, "\"><img src=x>", []);

        using HttpResponseMessage answer = await _client.GetAsync(new Uri($"{_server.Address}%3Cscript%3E/"), Cancel);

        string page = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.Equal("text/html", answer.Content.Headers.ContentType!.MediaType);
        Assert.DoesNotContain("<script>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", page, StringComparison.Ordinal);
        Assert.Contains("sandbox", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("MKCOL")]
    [InlineData("MOVE")]
    [InlineData("COPY")]
    [InlineData("PROPPATCH")]
    [InlineData("LOCK")]
    [InlineData("POST")]
    [InlineData("TRACE")]
    public async Task Nothing_is_written(string method)
    {
        using HttpResponseMessage answer = await SendAsync(new HttpMethod(method), Address("hello.txt"), ("Destination", Address("new").ToString()));

        Assert.Equal(method == "TRACE" ? HttpStatusCode.MethodNotAllowed : HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task A_body_that_is_refused_is_not_taken_for_a_request()
    {
        string said = $"PUT {Home}/new HTTP/1.1\r\nHost: {Host}\r\nContent-Length: 60\r\n\r\nGET {Home}/hello.txt HTTP/1.1\r\nHost: {Host}\r\n\r\n";

        string answer = await RawHttp.AskAsync(_server.Address, said, Cancel);

        Assert.StartsWith("HTTP/1.1 403", answer, StringComparison.Ordinal);
        Assert.Contains("Connection: close", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("hello world", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_secret_nothing_is_told()
    {
        var answers = new List<string>();
        foreach (string path in new[] { "", "home", "nowhere", new string('0', 32) + "/home/hello.txt", _server.Secret[..31] + "/home", _server.Secret + "0/home" })
        {
            using HttpResponseMessage answer = await _client.GetAsync(new Uri(_server.Root, path), Cancel);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.StartsWith("Basic", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
            answers.Add(await answer.Content.ReadAsStringAsync(Cancel));
        }

        Assert.Single(answers.Distinct());
    }

    [Fact]
    public async Task The_secret_is_also_the_password_of_any_user()
    {
        Assert.Equal(HttpStatusCode.OK, await Ask(_server.Secret));
        Assert.Equal(HttpStatusCode.Unauthorized, await Ask("wrong"));
        Assert.Equal(HttpStatusCode.Unauthorized, await Ask(""));

        async Task<HttpStatusCode> Ask(string password)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_server.Root, "home/hello.txt"));
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"anybody:{password}")));
            using HttpResponseMessage answer = await _client.SendAsync(request, Cancel);
            return answer.StatusCode;
        }
    }

    [Theory]
    [InlineData("GET {home}/../home/hello.txt HTTP/1.1\r\nHost: {host}\r\n\r\n", 400)]
    [InlineData("GET {home}/%2e%2e/home HTTP/1.1\r\nHost: {host}\r\n\r\n", 400)]
    [InlineData("GET {home}%2Fhello.txt HTTP/1.1\r\nHost: {host}\r\n\r\n", 400)]
    [InlineData("GET {home}/x%2Fhello.txt HTTP/1.1\r\nHost: {host}\r\n\r\n", 400)]
    [InlineData("GET {home}/hello.txt%00 HTTP/1.1\r\nHost: {host}\r\n\r\n", 400)]
    [InlineData("GET {home}/hello%2 HTTP/1.1\r\nHost: {host}\r\n\r\n", 400)]
    [InlineData("GET {home}//hello.txt HTTP/1.1\r\nHost: {host}\r\n\r\n", 400)]
    [InlineData("GET {home}/hello.txt?x HTTP/1.1\r\nHost: {host}\r\n\r\n", 400)]
    [InlineData("GET http://{host}{home}/hello.txt HTTP/1.1\r\nHost: {host}\r\n\r\n", 400)]
    [InlineData("GET {home}/hello.txt HTTP/1.1\r\n\r\n", 400)]
    [InlineData("GET {home}/hello.txt HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n", 400)]
    [InlineData("GET {home}/hello.txt HTTP/1.1\r\nHost: example.org\r\n\r\n", 421)]
    [InlineData("GET {home}/hello.txt HTTP/1.1\r\nHost: 127.0.0.1.example.org\r\n\r\n", 421)]
    [InlineData("GET {home}/hello.txt HTTP/1.1\r\nHost: 192.168.1.1\r\n\r\n", 421)]
    [InlineData("OPTIONS / HTTP/1.1\r\nHost: example.org\r\n\r\n", 421)]
    [InlineData("GET {home}/hello.txt HTTP/1.0\r\nHost: {host}\r\n\r\n", 505)]
    [InlineData("GET {home}/hello.txt\r\n\r\n", 400)]
    [InlineData("GET {home}/hello.txt HTTP/1.1\r\nHost: {host}\r\nbad header: x\r\n\r\n", 400)]
    [InlineData("GET {home}/hello.txt HTTP/1.1\r\nHost: {host}\r\n folded: x\r\n\r\n", 400)]
    [InlineData("GET {home}/hello.txt HTTP/1.1\r\nHost: {host}\r\nX: a\nY: b\r\n\r\n", 400)]
    [InlineData("GET {home}/hello.txt HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\n\r\n", 400)]
    [InlineData("GET {home}/hello.txt HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400)]
    [InlineData("PROPFIND {home} HTTP/1.1\r\nHost: {host}\r\nDepth: 0\r\nContent-Length: 99999999\r\n\r\n", 413)]
    [InlineData("PROPFIND {home} HTTP/1.1\r\nHost: {host}\r\nDepth: 0\r\nTransfer-Encoding: gzip\r\n\r\n", 501)]
    [InlineData("PROPFIND {home} HTTP/1.1\r\nHost: {host}\r\nDepth: 0\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", 413)]
    [InlineData("PROPFIND {home} HTTP/1.1\r\nHost: {host}\r\nDepth: 0\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400)]
    [InlineData("PROPFIND {home} HTTP/1.1\r\nHost: {host}\r\nDepth: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 207)]
    [InlineData("PROPFIND {home} HTTP/1.1\r\nHost: {host}\r\nDepth: 2\r\n\r\n", 400)]
    [InlineData("GET {home}/hello.txt HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200)]
    [InlineData("GET {home}/hello.txt HTTP/1.1\r\nHost: localhost\r\n\r\n", 200)]
    [InlineData("GET {home}/hello.txt/ HTTP/1.1\r\nHost: {host}\r\n\r\n", 404)]
    [InlineData("GET {home}/pipe HTTP/1.1\r\nHost: {host}\r\n\r\n", 404)]
    public async Task A_request_that_no_client_sends_gets_an_answer(string said, int status)
    {
        string answer = await RawHttp.AskAsync(
            _server.Address, said.Replace("{home}", Home, StringComparison.Ordinal).Replace("{host}", Host, StringComparison.Ordinal), Cancel);

        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_head_that_has_no_end_has_one()
    {
        using RawHttp http = await RawHttp.ConnectAsync(_server.Address, Cancel);
        await http.Stream.WriteAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n" + string.Concat(Enumerable.Repeat("X: y\r\n", 5000))), Cancel);
        Assert.StartsWith("HTTP/1.1 431", await http.ReadToEndAsync(Cancel), StringComparison.Ordinal);

        using RawHttp slow = await RawHttp.ConnectAsync(_server.Address, Cancel);
        await slow.Stream.WriteAsync("GET / HTT"u8.ToArray(), Cancel);
        Assert.StartsWith("HTTP/1.1 408", await slow.ReadToEndAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_that_come_at_once_are_answered_one_after_the_other()
    {
        string request = $"GET {Home}/hello.txt HTTP/1.1\r\nHost: {Host}\r\nRange: bytes=";

        string answer = await RawHttp.AskAsync(_server.Address, $"{request}0-0\r\n\r\n{request}4-4\r\n\r\n{request}6-6\r\nConnection: close\r\n\r\n", Cancel);

        Assert.Equal(["h", "o", "w"], answer.Split("HTTP/1.1 206 Partial Content").Skip(1).Select(part => part[^1..]));
    }

    [Fact]
    public async Task A_file_that_is_damaged_at_its_beginning_is_an_error_and_one_that_is_later_breaks_off()
    {
        _view.DamagedFrom[_largeId] = 2_000_000;
        await Assert.ThrowsAsync<HttpRequestException>(async () => await _client.GetByteArrayAsync(Address("large"), Cancel));
        string whole = await RawHttp.AskAsync(_server.Address, $"GET {Home}/large HTTP/1.1\r\nHost: {Host}\r\n\r\n", Cancel);
        byte[] came = Encoding.Latin1.GetBytes(whole[(whole.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
        Assert.InRange(came.Length, 1, 2_000_000);
        Assert.Equal(_large[..came.Length], came);
        Assert.Contains("Content-Length: 3000000", whole, StringComparison.Ordinal);

        using HttpResponseMessage sound = await SendAsync(HttpMethod.Get, Address("large"), ("Range", "bytes=1000-1999"));
        Assert.Equal(_large[1000..2000], await sound.Content.ReadAsByteArrayAsync(Cancel));
        using HttpResponseMessage damaged = await SendAsync(HttpMethod.Get, Address("large"), ("Range", "bytes=2500000-"));
        Assert.Equal(HttpStatusCode.InternalServerError, damaged.StatusCode);
        Assert.Contains("The test has damaged a chunk", await damaged.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.NotEmpty(_reported);
    }

    [Fact]
    public async Task A_folder_of_which_something_is_damaged_lists_the_rest_and_a_file_that_cannot_be_read()
    {
        ulong folder = _view.Folder(1, "damaged");
        _view.File(folder, "sound", [1]);
        _view.DamagedFolders.Add(folder);

        XElement listing = await ListAsync($"/{_server.Secret}/damaged/");

        Assert.Contains(listing.Descendants(_dav + "displayname"), name => name.Value == "sound");
        XElement mark = listing.Descendants(_dav + "displayname").Single(name => name.Value == DamageMark.Name);
        Assert.Contains(listing.Descendants(_dav + "responsedescription"), text => text.Value.Contains("damaged a block", StringComparison.Ordinal));
        var address = new Uri(_server.Root, mark.Ancestors(_dav + "response").Single().Element(_dav + "href")!.Value);
        using HttpResponseMessage answer = await _client.GetAsync(address, Cancel);
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Single((await ListAsync(address.AbsolutePath, "0")).Elements(_dav + "response"));

        using HttpResponseMessage elsewhere = await GetAsync(DamageMark.Name);
        Assert.Equal(HttpStatusCode.NotFound, elsewhere.StatusCode);
    }

    [Fact]
    public async Task A_vault_that_is_away_is_asked_for_again_later()
    {
        _view.Failure = MemoryView.Away();
        using HttpResponseMessage away = await GetAsync("hello.txt");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, away.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(7), away.Headers.RetryAfter!.Delta);

        _view.Failure = null;
        using HttpResponseMessage back = await GetAsync("hello.txt");
        Assert.Equal(HttpStatusCode.OK, back.StatusCode);
    }

    [Fact]
    public async Task What_the_point_has_no_content_of_is_refused()
    {
        using HttpResponseMessage answer = await GetAsync("unread");

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("could not be read when the backup ran", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_options_are_told_to_everybody_and_are_those_of_class_1()
    {
        foreach (string path in new[] { "/", "/nowhere", Home })
        {
            using HttpResponseMessage answer = await SendAsync(HttpMethod.Options, new Uri(_server.Root, path));
            Assert.Equal("1", answer.Headers.GetValues("DAV").Single());
            Assert.Equal(["OPTIONS", "GET", "HEAD", "PROPFIND"], answer.Content.Headers.Allow);
        }
    }

    [Fact]
    public async Task A_port_that_is_in_use_is_an_error_and_the_server_ends_while_clients_are_connected()
    {
        BackupException taken = Assert.Throws<BackupException>(() => WebDavServer.Start(_view, new WebDavOptions { Port = _server.Address.Port }));
        Assert.Equal(BackupErrorId.ServerAddressTaken, taken.Id);

        using RawHttp idle = await RawHttp.ConnectAsync(_server.Address, Cancel);
        await _server.DisposeAsync();
        await Assert.ThrowsAsync<SocketException>(async () => await RawHttp.ConnectAsync(_server.Address, Cancel));
    }

    private Uri Address(string name) => new($"{_server.Address}home/{Uri.EscapeDataString(name)}");

    private Task<HttpResponseMessage> GetAsync(string name) => _client.GetAsync(Address(name), Cancel);

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, Uri address, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, address);
        foreach ((string name, string value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        return await _client.SendAsync(request, Cancel);
    }

    private async Task<HttpResponseMessage> PropfindAsync(string path, string? depth, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod("PROPFIND"), new Uri(_server.Root, path));
        if (depth is not null)
        {
            request.Headers.Add("Depth", depth);
        }

        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/xml");
        return await _client.SendAsync(request, Cancel);
    }

    private async Task<XElement> ListAsync(string path, string depth = "1", string? body = null)
    {
        using HttpResponseMessage answer = await PropfindAsync(path, depth, body);
        Assert.Equal(HttpStatusCode.MultiStatus, answer.StatusCode);
        return XDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).Root!;
    }
}
