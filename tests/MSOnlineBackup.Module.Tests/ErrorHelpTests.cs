using System.Text.RegularExpressions;
using MSOnlineBackup.Errors;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Module.Tests;

/// <summary>What Get-OBErrorHelp knows.</summary>
public sealed partial class ErrorHelpTests
{
    [Fact]
    public void Every_number_and_name_of_the_original_that_is_shown_is_found()
    {
        string[] shown =
        [
            .. Directory.EnumerateFiles(Repository.File("src"), "*.cs", SearchOption.AllDirectories)
                .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
                .SelectMany(file => Code().Matches(File.ReadAllText(file)).Select(code => code.Groups["code"].Value))
                .Append("407")
                .Append("UserErrorSecretExistsSoftDeleted")
                .Distinct(),
        ];

        Assert.Contains("SalLowDiskSpace", shown);
        Assert.Contains("Pre-ScriptTimeout", ErrorHelp.All().Single(error => error.Id == "ScriptTimedOut").ErrorCode);
        Assert.Contains("Post-ScriptTimeout", ErrorHelp.All().Single(error => error.Id == "ScriptTimedOut").ErrorCode);
        Assert.Empty(shown.Except(ErrorHelp.All().SelectMany(error => error.ErrorCode)));
    }

    [Fact]
    public void A_word_of_the_sentence_is_no_number() =>
        Assert.All(ErrorHelp.All().SelectMany(error => error.ErrorCode), code => Assert.Matches("^(0x[0-9A-F]+|[0-9]+|[A-Z][A-Za-z0-9-]{8,})$", code));

    [Fact]
    public void Every_code_of_Blob_Storage_that_its_refusals_show_is_found()
    {
        string[] shown =
        [
            .. BlobCode().Matches(File.ReadAllText(Repository.File("src/MSOnlineBackup.Storage.Azure/Blobs/BlobErrors.cs")))
                .Select(code => code.Groups["code"].Value),
            "KeyBasedAuthenticationNotPermitted",
            "PublicAccessNotPermitted",
            "AuthenticationFailed",
            "401",
            "403",
            "404",
        ];

        Assert.Contains("AuthorizationPermissionMismatch", shown);
        Assert.Empty(shown.Except(ErrorHelp.All().SelectMany(error => error.ErrorCode)));
    }

    // The published errors of the original: a number or name where there is one, else words of the message.
    [Theory]
    [InlineData("34513", "100050", "407", "100110", "0x1FC07", "34506", "230006", "SalChecksumStoreInitializationFailed", "SalVhdInitializationError",
        "SalLowDiskSpace")]
    [InlineData("SalBitmapError", "0x80070570", "0x80070002", "0x80070003", "0x80070005", "0x8007018B", "100130", "120002", "0x29834", "810001", "130001",
        "81001", "810002")]
    [InlineData("391224", "391225", "100272", "391282", "UserErrorSecretExistsSoftDeleted", "391283", "UserErrorKeyVaultSoftDeleted", "0x1FBD3", "0x1873D",
        "0x18770")]
    [InlineData("0x80780049", "0x8007007B", "0x80780054", "0x800423F2", "4024", "33621", "30135")]
    [InlineData("registration status could not be verified", "Failed to set the encryption key", "another job was in progress", "critical inconsistency",
        "completed with warnings")]
    [InlineData("insufficient shadow copy storage", "recovery volume does not mount", "Import/Export service stops", "Registration is incomplete",
        "execute the embedded application")]
    [InlineData("storage could not grow", "EFI system partition is locked", "connect to the OBEngine service", "passphrase for this server is not set",
        "Recovery from another server")]
    public void Every_published_error_of_the_original_has_a_cause_and_what_to_do(params string[] errors) => Assert.All(errors, text =>
    {
        OBErrorHelp error = Assert.Single(
            ErrorHelp.All(),
            error => error.Id.StartsWith("Mars", StringComparison.Ordinal)
                && (error.ErrorCode.Contains(text) || text.Contains(' ', StringComparison.Ordinal) && error.Meaning.Contains(
                    text, StringComparison.OrdinalIgnoreCase)));
        Assert.NotEmpty(error.Causes);
        Assert.NotEmpty(error.RecommendedAction);
        Assert.All(error.RelatedId, id => Assert.True(Enum.TryParse<BackupErrorId>(id, out _), id));
    });

    [Fact]
    public void There_is_an_entry_for_each_row_of_the_published_errors() =>
        Assert.Equal(48, ErrorHelp.All().Count(error => error.Id.StartsWith("Mars", StringComparison.Ordinal)));

    [Theory]
    [InlineData("80070570", "0x80070570")]
    [InlineData("8007018b", "0x8007018B")]
    [InlineData("-2147023504", "0x80070570")]
    public void A_number_is_found_however_a_system_writes_it(string written, string number) => Assert.Contains(number, ErrorHelp.Spellings(written));

    [GeneratedRegex(@"Is\(answer, (?:BlobErrorCode\.)?(?<code>\w+)\)")]
    private static partial Regex BlobCode();

    [GeneratedRegex(@"(?:errorCode: |const string \w+ = )\x22(?<code>0x[0-9A-F]{4,}|[0-9]{5,}|Sal[A-Za-z]+|UserError[A-Za-z]+)\x22")]
    private static partial Regex Code();
}
