using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Azure;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Azure.Storage.Sas;
using MSOnlineBackup.Testing;
using MSOnlineBackup.VirtualMachines.Azure.Pages;

namespace MSOnlineBackup.VirtualMachines.Azure.Tests;

/// <summary>
/// A double of Azure's resource manager with one machine, and what opens disks: they are page blobs of a real Azurite, behind addresses that are good for as long as they are granted. What changed between two moments, which Azurite
/// does not tell, is found by comparing them.
/// </summary>
internal sealed class AzureDouble : HttpMessageHandler
{
    public const string Group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg";
    public const string Compute = Group + "/providers/Microsoft.Compute/";
    public const string Machine = Compute + "virtualMachines/vm1";
    public const string Manager = "management.azure.com";
    public const string Storage = "md-double.blob.storage.azure.net";
    public const string Token = "a token";

    private static readonly HttpClient _azurite = new();

    private readonly BlobContainerClient _container;
    private readonly ConcurrentDictionary<string, (string Sig, string Blob, bool CanWrite)> _grants = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, Queue<JsonObject>> _operations = new();
    private readonly ConcurrentDictionary<string, string> _blobOfMoment = new(StringComparer.OrdinalIgnoreCase);
    private readonly Lock _lock = new();
    private int _count;

    public AzureDouble()
    {
        _container = new BlobContainerClient(new Uri(AzuriteServer.Shared.NewContainer()), new StorageSharedKeyCredential(AzuriteServer.Account, AzuriteServer.Key));
        _container.Create();
    }

    /// <summary>The managed disks by their addresses, as the resource manager describes them.</summary>
    public ConcurrentDictionary<string, JsonObject> Disks { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The machine; its disks are among them.</summary>
    public JsonObject Model { get; } = new()
    {
        ["id"] = Machine,
        ["name"] = "vm1",
        ["location"] = "westeurope",
        ["properties"] = new JsonObject
        {
            ["vmId"] = "11111111-1111-1111-1111-111111111111",
            ["hardwareProfile"] = new JsonObject { ["vmSize"] = "Standard_D2s_v5" },
            ["storageProfile"] = new JsonObject { ["dataDisks"] = new JsonArray() },
            ["securityProfile"] = new JsonObject { ["securityType"] = "TrustedLaunch", ["uefiSettings"] = new JsonObject { ["secureBootEnabled"] = true, ["vTpmEnabled"] = true } },
        },
    };

    /// <summary>The collections of restore points by their addresses.</summary>
    public ConcurrentDictionary<string, JsonObject> Collections { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The restore points of all collections.</summary>
    public JsonObject[] Points => [.. Collections.Values.SelectMany(each => each["properties"]!["restorePoints"]!.AsArray()).Select(point => point!.AsObject())];

    /// <summary>The addresses of what is open.</summary>
    public ICollection<string> Open => _grants.Keys;

    /// <summary>All requests, in order: GET and the path.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Answers instead of the double, where it does.</summary>
    public Func<HttpRequestMessage, HttpResponseMessage?> Intercept { get; set; } = static _ => null;

    /// <summary>Whether what changed since a moment is told; otherwise all that there is.</summary>
    public bool TellsChanges { get; set; } = true;

    /// <summary>What restore points are in the end; null for what was asked for.</summary>
    public string? Consistency { get; set; }

    private static DateTimeOffset Later => new(2200, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Attaches a disk of zeroes; null for that of the system.</summary>
    public string Attach(int? lun, string name, long size)
    {
        string id = Compute + "disks/" + name;
        NewDisk(id, size, "Unattached");
        Disks[id]["properties"]!["hyperVGeneration"] = lun is null ? "V2" : null;
        var attachment = new JsonObject { ["name"] = name, ["caching"] = "ReadOnly", ["createOption"] = "Attach", ["managedDisk"] = new JsonObject { ["id"] = id, ["storageAccountType"] = "Premium_LRS" } };
        JsonObject profile = Model["properties"]!["storageProfile"]!.AsObject();
        if (lun is null)
        {
            attachment["osType"] = "Linux";
            profile["osDisk"] = attachment;
        }
        else
        {
            attachment["lun"] = lun;
            profile["dataDisks"]!.AsArray().Add(attachment);
        }

        return id;
    }

    /// <summary>Detaches a disk of data.</summary>
    public void Detach(int lun)
    {
        JsonArray disks = Model["properties"]!["storageProfile"]!["dataDisks"]!.AsArray();
        disks.Remove(disks.First(disk => (int)disk!["lun"]! == lun));
    }

    /// <summary>Makes a disk larger.</summary>
    public void Grow(string id, long size)
    {
        PageBlobClient blob = BlobOf(id);
        long before = (long)Disks[id]["properties"]!["diskSizeBytes"]!;
        blob.ClearPages(new HttpRange(before, VhdFooter.Length));
        blob.Resize(size + VhdFooter.Length);
        blob.UploadPages(new MemoryStream(VhdFooter.Create(size, Later)), size);
        Disks[id]["properties"]!["diskSizeBytes"] = size;
    }

    public void Write(string id, long offset, byte[] content) => BlobOf(id).UploadPages(new MemoryStream(content), offset);

    public void Clear(string id, long offset, long length) => BlobOf(id).ClearPages(new HttpRange(offset, length));

    /// <summary>The bytes of a disk, without its footer.</summary>
    public byte[] Read(string id) => ReadAll(BlobOf(id))[..^VhdFooter.Length];

    /// <summary>The last bytes of a disk.</summary>
    public byte[] ReadFooter(string id) => ReadAll(BlobOf(id))[^VhdFooter.Length..];

    /// <summary>Ends all that is open, as time does.</summary>
    public void Expire() => _grants.Clear();

    public static HttpResponseMessage Answer(HttpStatusCode status, JsonNode? body = null) => new(status) { Content = new StringContent(body?.ToJsonString() ?? "", Encoding.UTF8, "application/json") };

    public static HttpResponseMessage Refuse(HttpStatusCode status, string code, string message = "No.") =>
        Answer(status, new JsonObject { ["error"] = new JsonObject { ["code"] = code, ["message"] = message } });

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Requests.Enqueue($"{request.Method} {request.RequestUri!.AbsolutePath}");
        if (Intercept(request) is { } instead)
        {
            return instead;
        }

        if (request.RequestUri.Host == Storage)
        {
            return request.Headers.Authorization is null ? await ServeBlobAsync(request, cancellationToken) : Refuse(HttpStatusCode.BadRequest, "TokenGivenAway");
        }

        return request.RequestUri.Host != Manager || request.Headers.Authorization?.Parameter != Token
            ? Refuse(HttpStatusCode.Unauthorized, "AuthenticationFailed")
            : await ManageAsync(request, request.RequestUri.AbsolutePath, cancellationToken);
    }

    private static bool Ends(string path, string word, out string before)
    {
        before = path.EndsWith(word, StringComparison.OrdinalIgnoreCase) ? path[..^word.Length] : "";
        return before.Length > 0;
    }

    private async Task<HttpResponseMessage> ManageAsync(HttpRequestMessage request, string path, CancellationToken cancellationToken)
    {
        JsonObject? body = request.Content is { } content && await content.ReadAsStringAsync(cancellationToken) is { Length: > 0 } text ? JsonNode.Parse(text)!.AsObject() : null;
        if (_operations.TryGetValue(path, out Queue<JsonObject>? states))
        {
            lock (_lock)
            {
                JsonObject state = states.Count > 1 ? states.Dequeue() : states.Peek();
                bool isResult = path.Contains("/results/", StringComparison.Ordinal);
                HttpResponseMessage told = isResult && (string?)state["status"] == "InProgress" ? Answer(HttpStatusCode.Accepted) : Answer(HttpStatusCode.OK, state);
                told.Headers.Add("Retry-After", "0");
                return told;
            }
        }

        if (path.Equals(Machine, StringComparison.OrdinalIgnoreCase))
        {
            return Answer(HttpStatusCode.OK, Model);
        }

        if (Ends(path, "/beginGetAccess", out string opened))
        {
            return FindBlob(opened) is { } blob ? Begun(new JsonObject { ["accessSAS"] = Grant(opened, blob, (string?)body!["access"] == "Write") }) : Refuse(HttpStatusCode.NotFound, "NotFound");
        }

        if (Ends(path, "/endGetAccess", out string closed))
        {
            if (_grants.TryRemove(closed, out var grant) && grant.CanWrite && Disks.TryGetValue(closed, out JsonObject? written))
            {
                written["properties"]!["diskState"] = "Unattached";
            }

            return FindBlob(closed) is null ? Refuse(HttpStatusCode.NotFound, "NotFound") : Begun(null);
        }

        lock (_lock)
        {
            return path.Contains("/diskRestorePoints/", StringComparison.OrdinalIgnoreCase) ? OfMoment(path)
                : path.Contains("/restorePoints/", StringComparison.OrdinalIgnoreCase) ? OfPoint(request.Method, path, body)
                : path.Contains("/restorePointCollections/", StringComparison.OrdinalIgnoreCase) ? OfCollection(request.Method, path, body)
                : OfDisk(request.Method, path, body);
        }
    }

    private HttpResponseMessage OfDisk(HttpMethod method, string path, JsonObject? body)
    {
        if (method == HttpMethod.Put)
        {
            long bytes = (long)body!["properties"]!["creationData"]!["uploadSizeBytes"]!;
            NewDisk(path, bytes - VhdFooter.Length, "ReadyToUpload");
            BlobOf(path).ClearPages(new HttpRange(bytes - VhdFooter.Length, VhdFooter.Length));
            foreach ((string name, JsonNode? value) in body)
            {
                if (name != "properties")
                {
                    Disks[path][name] = value?.DeepClone();
                }
            }

            Disks[path]["asked"] = body.DeepClone();
            return Begun(null);
        }

        if (!Disks.TryGetValue(path, out JsonObject? disk))
        {
            return Refuse(HttpStatusCode.NotFound, "ResourceNotFound");
        }

        if (method == HttpMethod.Patch)
        {
            disk["tags"] = body!["tags"]!.DeepClone();
        }
        else if (method == HttpMethod.Delete)
        {
            if (_grants.ContainsKey(path))
            {
                return Refuse(HttpStatusCode.Conflict, "OperationNotAllowed", "The disk has an active shared access signature.");
            }

            Disks.TryRemove(path, out _);
            return Begun(null);
        }

        return Answer(HttpStatusCode.OK, disk.DeepClone());
    }

    private HttpResponseMessage OfCollection(HttpMethod method, string path, JsonObject? body)
    {
        if (method == HttpMethod.Put)
        {
            body!["properties"]!["restorePoints"] = new JsonArray();
            Collections[path] = body;
            return Answer(HttpStatusCode.Created, body.DeepClone());
        }

        if (!Collections.TryGetValue(path, out JsonObject? collection))
        {
            return Refuse(HttpStatusCode.NotFound, "ResourceNotFound");
        }

        if (method == HttpMethod.Patch)
        {
            collection["tags"] = body!["tags"]!.DeepClone();
        }

        return Answer(HttpStatusCode.OK, collection.DeepClone());
    }

    private HttpResponseMessage OfPoint(HttpMethod method, string path, JsonObject? body)
    {
        JsonArray points = Collections[path[..path.IndexOf("/restorePoints/", StringComparison.OrdinalIgnoreCase)]]["properties"]!["restorePoints"]!.AsArray();
        JsonNode? point = points.FirstOrDefault(each => string.Equals((string?)each!["id"], path, StringComparison.OrdinalIgnoreCase));
        if (method == HttpMethod.Put)
        {
            points.Add(NewPoint(path, body!["properties"]!));
            return Begun(null);
        }

        if (point is null)
        {
            return Refuse(HttpStatusCode.NotFound, "ResourceNotFound");
        }

        if (method == HttpMethod.Delete)
        {
            if (_grants.Keys.Any(open => open.StartsWith(path + "/", StringComparison.OrdinalIgnoreCase)))
            {
                return Refuse(HttpStatusCode.Conflict, "OperationNotAllowed", "The restore point has an active shared access signature.");
            }

            points.Remove(point);
            return Begun(null);
        }

        return Answer(HttpStatusCode.OK, point.DeepClone());
    }

    private HttpResponseMessage OfMoment(string path) => Points.Any(point => path.StartsWith((string)point["id"]! + "/", StringComparison.OrdinalIgnoreCase))
        && Points.Select(point => point["moments"]![path]).FirstOrDefault(found => found is not null) is { } moment
            ? Answer(HttpStatusCode.OK, moment.DeepClone())
            : Refuse(HttpStatusCode.NotFound, "ResourceNotFound");

    private JsonObject NewPoint(string path, JsonNode asked)
    {
        string[] excluded = [.. asked["excludeDisks"]!.AsArray().Select(disk => (string)disk!["id"]!)];
        JsonObject profile = Model["properties"]!["storageProfile"]!.DeepClone().AsObject();
        var moments = new JsonObject();
        JsonNode?[] attached = [.. profile["dataDisks"]!.AsArray().Prepend(profile["osDisk"])];
        foreach (JsonNode disk in attached.OfType<JsonNode>())
        {
            string? id = (string?)disk["managedDisk"]?["id"];
            if (id is null || excluded.Contains(id, StringComparer.OrdinalIgnoreCase))
            {
                continue;
            }

            string moment = $"{path}/diskRestorePoints/{(string)disk["name"]!}_{++_count}";
            _blobOfMoment[moment] = Copy(BlobOf(id));
            disk["diskRestorePoint"] = new JsonObject { ["id"] = moment };
            moments[moment] = new JsonObject
            {
                ["properties"] = new JsonObject { ["sourceUniqueId"] = (string)Disks[id]["properties"]!["uniqueId"]!, ["familyId"] = "family-" + (string)Disks[id]["properties"]!["uniqueId"]! },
            };
        }

        return new JsonObject
        {
            ["id"] = path,
            ["name"] = path[(path.LastIndexOf('/') + 1)..],
            ["properties"] = new JsonObject
            {
                ["provisioningState"] = "Succeeded",
                ["consistencyMode"] = Consistency ?? (string)asked["consistencyMode"]!,
                ["sourceMetadata"] = new JsonObject { ["storageProfile"] = profile },
            },
            ["moments"] = moments,
        };
    }

    private void NewDisk(string id, long size, string state)
    {
        string blob = $"disk-{Interlocked.Increment(ref _count)}";
        PageBlobClient client = _container.GetPageBlobClient(blob);
        client.Create(size + VhdFooter.Length);
        client.UploadPages(new MemoryStream(VhdFooter.Create(size, Later)), size);
        Disks[id] = new JsonObject
        {
            ["id"] = id,
            ["name"] = id[(id.LastIndexOf('/') + 1)..],
            ["sku"] = new JsonObject { ["name"] = "Premium_LRS" },
            ["properties"] = new JsonObject { ["diskSizeBytes"] = size, ["uniqueId"] = blob, ["diskState"] = state },
        };
    }

    private string Copy(PageBlobClient from)
    {
        PageBlobClient to = _container.GetPageBlobClient($"moment-{++_count}");
        to.Create(from.GetProperties().Value.ContentLength);
        foreach (HttpRange range in Pages(from))
        {
            BlobDownloadResult content = from.DownloadContent(new BlobDownloadOptions { Range = range });
            to.UploadPages(content.Content.ToStream(), range.Offset);
        }

        return to.Name;
    }

    private static byte[] ReadAll(PageBlobClient blob)
    {
        byte[] all = new byte[blob.GetProperties().Value.ContentLength];
        foreach (HttpRange range in Pages(blob))
        {
            BlobDownloadResult content = blob.DownloadContent(new BlobDownloadOptions { Range = range });
            content.Content.ToMemory().CopyTo(all.AsMemory((int)range.Offset));
        }

        return all;
    }

    private static HttpRange[] Pages(PageBlobClient blob) => [.. blob.GetAllPageRanges().Select(page => page.Range)];

    private PageBlobClient BlobOf(string id) => _container.GetPageBlobClient((string)Disks[id]["properties"]!["uniqueId"]!);

    private string? FindBlob(string path) => Disks.TryGetValue(path, out JsonObject? disk) ? (string)disk["properties"]!["uniqueId"]!
        : _blobOfMoment.TryGetValue(path, out string? blob) && Points.Any(point => path.StartsWith((string)point["id"]! + "/", StringComparison.OrdinalIgnoreCase)) ? blob
        : null;

    private string Grant(string path, string blob, bool canWrite)
    {
        string sig = $"secret{Interlocked.Increment(ref _count)}";
        _grants[path] = (sig, blob, canWrite);
        return $"https://{Storage}/double/{blob}?sv=2021-12-02&sig={sig}";
    }

    // Now one way, now the other: both are in use.
    private HttpResponseMessage Begun(JsonObject? result)
    {
        int number = Interlocked.Increment(ref _count);
        string operation = $"/subscriptions/x/providers/Microsoft.Compute/locations/westeurope/operations/{number}";
        string location = $"/subscriptions/x/providers/Microsoft.Compute/locations/westeurope/results/{number}";
        HttpResponseMessage answer = Answer(HttpStatusCode.Accepted);
        bool hasOutput = number % 2 == 0;
        if (number % 3 != 0)
        {
            answer.Headers.Add("Azure-AsyncOperation", $"https://{Manager}{operation}?api-version=1");
            _operations[operation] = new Queue<JsonObject>(
            [
                new JsonObject { ["status"] = "InProgress" },
                new JsonObject { ["status"] = "Succeeded", ["properties"] = hasOutput && result is not null ? new JsonObject { ["output"] = result.DeepClone() } : new JsonObject() },
            ]);
        }

        answer.Headers.Add("Location", $"https://{Manager}{location}?api-version=1");
        _operations[location] = new Queue<JsonObject>([new JsonObject { ["status"] = "InProgress" }, result ?? []]);
        answer.Headers.Add("Retry-After", "0");
        return answer;
    }

    private async Task<HttpResponseMessage> ServeBlobAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Uri url = request.RequestUri!;
        string blob = url.Segments[^1];
        if (!_grants.Values.Any(grant => url.Query.EndsWith("sig=" + grant.Sig, StringComparison.Ordinal) && grant.Blob == blob && (request.Method != HttpMethod.Put || grant.CanWrite)))
        {
            var refused = new HttpResponseMessage(HttpStatusCode.Forbidden);
            refused.Headers.Add("x-ms-error-code", "AuthenticationFailed");
            return refused;
        }

        if (TellsChanges && request.Headers.TryGetValues("x-ms-previous-snapshot-url", out IEnumerable<string>? previous))
        {
            var earlier = new Uri(previous.Single());
            return _grants.Values.Any(grant => earlier.Query.EndsWith("sig=" + grant.Sig, StringComparison.Ordinal)) ? TellChanges(_container.GetPageBlobClient(earlier.Segments[^1]), _container.GetPageBlobClient(blob), url)
                : new HttpResponseMessage(HttpStatusCode.Forbidden);
        }

        PageBlobClient client = _container.GetPageBlobClient(blob);
        string sas = client.GenerateSasUri(BlobSasPermissions.Read | BlobSasPermissions.Write, Later).AbsoluteUri;
        string query = url.Query.TrimStart('?').Split("sv=")[0];
        using var passed = new HttpRequestMessage(request.Method, query.Length == 0 ? sas : $"{sas}&{query.TrimEnd('&')}");
        foreach ((string name, IEnumerable<string> values) in request.Headers.Where(header => header.Key.StartsWith("x-ms-", StringComparison.OrdinalIgnoreCase)))
        {
            passed.Headers.TryAddWithoutValidation(name, values);
        }

        passed.Headers.Remove("x-ms-previous-snapshot-url");
        if (request.Content is { } content)
        {
            passed.Content = new ByteArrayContent(await content.ReadAsByteArrayAsync(cancellationToken));
        }

        HttpResponseMessage answer = await _azurite.SendAsync(passed, HttpCompletionOption.ResponseContentRead, cancellationToken);
        return answer;
    }

    // A thousand pages at once, so that lists are continued.
    private static HttpResponseMessage TellChanges(PageBlobClient before, PageBlobClient now, Uri url)
    {
        byte[] old = ReadAll(before);
        byte[] current = ReadAll(now);
        HashSet<long> there = [.. Pages(now).SelectMany(PagesOf)];
        HashSet<long> was = [.. Pages(before).SelectMany(PagesOf)];
        var lines = new List<string>();
        for (long page = 0; page < current.Length / 512; page++)
        {
            int at = (int)(page * 512);
            bool isSame = old.Length >= at + 512 && current.AsSpan(at, 512).SequenceEqual(old.AsSpan(at, 512));
            string? kind = there.Contains(page) ? (isSame && was.Contains(page) ? null : "PageRange") : was.Contains(page) ? "ClearRange" : null;
            if (kind is not null)
            {
                lines.Add(string.Create(CultureInfo.InvariantCulture, $"<{kind}><Start>{at}</Start><End>{at + 511}</End></{kind}>"));
            }
        }

        string? marker = url.Query.Split('&').Select(part => part.Split('=')).FirstOrDefault(part => part[0] == "marker")?[1];
        int from = marker is null ? 0 : int.Parse(marker, CultureInfo.InvariantCulture);
        int next = from + 1000;
        string body = $"﻿<?xml version=\"1.0\" encoding=\"utf-8\"?><PageList>{string.Concat(lines.Skip(from).Take(1000))}<NextMarker>{(next < lines.Count ? next.ToString(CultureInfo.InvariantCulture) : "")}</NextMarker></PageList>";
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(body, Encoding.UTF8, "application/xml") };
    }

    private static IEnumerable<long> PagesOf(HttpRange range)
    {
        for (long page = range.Offset / 512; page < (range.Offset + range.Length!.Value) / 512; page++)
        {
            yield return page;
        }
    }
}
