"""The context as a notebook and a program of today's Spark see it."""

from html.parser import HTMLParser

from support import ContextTest


class Cells(HTMLParser):
    """The texts of HTML that are not blank."""

    def __init__(self, text):
        super().__init__()
        self.texts = []
        self.feed(text)

    def handle_data(self, data):
        if data.strip():
            self.texts.append(data.strip())


class ContextLooksTest(ContextTest):
    def test_it_has_the_words_of_spark(self):
        # As Spark 4.3 without its web page, to which there is then no link.
        self.assertEqual(repr(self.sc), "<SparkContext master=local[4] appName=ContextLooksTest>")
        self.assertIsNone(self.sc.uiWebUrl)
        texts = Cells(self.sc._repr_html_()).texts
        self.assertEqual(
            texts,
            [
                "SparkContext",
                "Version",
                "v4.3.0",
                "Master",
                "local[4]",
                "AppName",
                "ContextLooksTest",
            ],
        )

    def test_names_are_text_and_not_html(self):
        self.sc._conf.setAppName("<b>&")
        try:
            self.assertEqual(Cells(self.sc._repr_html_()).texts[-1], "<b>&")
        finally:
            self.sc._conf.setAppName(type(self).__name__)
